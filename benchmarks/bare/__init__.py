"""A project of Django REST framework that does nothing else, to compare the API with."""
