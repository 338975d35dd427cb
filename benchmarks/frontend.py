"""Acts as a frontend with one kept connection and one request at a time."""

import http.client
import json
from typing import Any

from benchmarks.result import Json

TEXT = "화요일 저녁 8시, 음성 채널에서 진행합니다. 교재 9장을 미리 읽어 와 주세요. " * 2


class Frontend:
    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"X-API-Key": key, "Content-Type": "application/json"}

    def post_notice(self, study: int, channel: str, title: str) -> int:
        """Post one notice to one channel, as the first frontend does; return its number."""
        body = {
            "channel_id": channel, "title": title, "study_id": study, "content": TEXT,
            "author": "민지",
        }  # fmt: skip
        return int(self._ask("POST", "/notice/", body)["notice"])

    def post_to_all(self, study: int, title: str) -> int:
        """Post one notice to all channels of the study."""
        body = {"title": title, "study_id": study, "content": TEXT, "author": "민지"}
        return int(self._ask("POST", "/api/v1/notices/", body)["id"])

    def status(self, notice: int) -> str:
        return str(self._ask("GET", f"/api/v1/notices/{notice}/")["status"])

    def _ask(self, method: str, path: str, body: Json | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, data, self._headers)
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {read.decode()}")
        return json.loads(read)
