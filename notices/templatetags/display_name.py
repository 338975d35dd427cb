"""{{ user|display_name }}"""

from django import template

from notices.desk.display_name import display_name

register = template.Library()
register.filter(display_name)
