"""What the API is compared with: a project of Django REST framework that does nothing else."""
