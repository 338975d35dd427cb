"""Lists the errors of Discord's REST API: an HTTP status, Discord's own code, and words."""

from fakediscord.wire import Json

# Below it are refusals without a code of Discord's own, which answers 0.
FIRST_CODE = 10_000
UNAUTHORIZED, NO_SUCH_ROUTE = 0, 1
INVALID_JSON = 50109
TOO_LARGE = 40005

MEANINGS: dict[int, tuple[int, str]] = {
    UNAUTHORIZED: (401, "401: Unauthorized"),
    NO_SUCH_ROUTE: (404, "404: Not Found"),
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    30003: (400, "Maximum number of pins reached (250)"),
    30032: (400, "Maximum number of application commands reached (100)"),
    30046: (
        429,
        "Maximum number of edits to messages older than 1 hour reached. Try again later",
    ),
    TOO_LARGE: (413, "Request entity too large"),
    40033: (400, "This message has already been crossposted."),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50021: (403, "Cannot execute action on a system message"),
    50024: (403, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (
        400,
        "Tried to perform an operation on an archived thread, such as editing a message or "
        "adding a user to the thread",
    ),
    160005: (403, "This thread is locked"),
    INVALID_JSON: (400, "The request body contains invalid JSON."),
}


class ApiError(Exception):
    """A refusal as Discord words it; `errors` is the nested account of an invalid form."""

    def __init__(self, code: int, *, errors: Json | None = None) -> None:
        self.code = code
        self.status, self.message = MEANINGS[code]
        self.errors = errors
        super().__init__(f"{self.status} {self.message} (code {code})")

    def body(self) -> Json:
        is_discords_own = self.code >= FIRST_CODE
        body: Json = {"message": self.message, "code": self.code if is_discords_own else 0}
        if self.errors:
            body["errors"] = self.errors
        return body
