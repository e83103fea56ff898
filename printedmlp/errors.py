"""What goes wrong in words a user can act on.

Every error message is one line that names the place and the value; the command line prints it and ends with
exit code 2. A traceback is a defect of this package. What a message quotes may come from a hostile file: control
characters and terminal escapes are left out here, whoever raises it.
"""

from printedmlp.names import clean_text

MESSAGE_LIMIT = 4096
"""Most characters of a message; a path in it can be long."""


def one_line(text: str) -> str:
    """The text as one line of printable characters, cut where it is too long for a person to read."""
    return clean_text(text, MESSAGE_LIMIT)


class PrintedMLPError(Exception):
    """Base of all errors caused by input, settings or tools. The message is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(str(message)))


class DataError(PrintedMLPError):
    """A table, a data set name or a quantiser file cannot be used."""


class ModelError(PrintedMLPError):
    """A classifier is malformed or is asked about inputs it is not defined for."""


class ConfigError(PrintedMLPError):
    """A setting is out of range or contradicts another one."""


class ToolError(PrintedMLPError):
    """An outside tool is missing, of the wrong version, or failed; the message quotes it."""


class ToolMissingError(ToolError):
    """An outside tool is not there, or cannot be started."""


class ToolBrokenOffError(ToolError):
    """An outside tool was stopped before it had an answer, by a time limit or from outside; tried again it may."""


class VerificationError(PrintedMLPError):
    """A circuit and its classifier are not the same function."""


class EstimatorError(PrintedMLPError, ValueError):
    """The scikit-learn estimator was given what it cannot work with; a ValueError, as its contract there wants."""


class PrintedMLPWarning(UserWarning):
    """Something was repaired or assumed; the message says what."""
