"""medveil: can the people in these medical images be recognised?"""

__version__ = "0.1.0"
