"""polyglot: is translation inside an embedding model approximately a linear map?"""

__version__ = "0.1.0"
