"""deploy/nginx/studybot.conf, run by the real nginx: ports and certificate are the tests'."""

import os
import ssl
import subprocess
from http.client import HTTPSConnection
from pathlib import Path

from tests.e2e.databases import ROOT
from tests.e2e.own_services import OwnServer
from tests.e2e.stack import free_port
from tests.services import nginx_program

NAME = "notices.example.org"
FILE = ROOT / "deploy/nginx/studybot.conf"
MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    include {folder}/studybot.conf;
}}
"""


class OwnNginx(OwnServer):
    def __init__(self, folder: Path, web_port: int) -> None:
        super().__init__()
        self.folder = folder
        self.plain_port = free_port()
        self.certificate = folder / "certificate.pem"
        folder.mkdir()
        self._make_certificate()
        (folder / "studybot.conf").write_text(self._configuration(web_port))
        # Started by root it would serve as a user who may not come into the tests' folder.
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))

    @property
    def host(self) -> str:
        return f"{NAME}:{self.port}"

    def connect(self) -> HTTPSConnection:
        trusted = ssl.create_default_context(cafile=str(self.certificate))
        return HTTPSConnection("127.0.0.1", self.port, timeout=20, context=trusted)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            connection.request(method, path, body, {"Host": self.host, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def log(self) -> str:
        return (self.folder / "error.log").read_text()

    def _configuration(self, web_port: int) -> str:
        """The file as it is, but for what differs from one machine to the next."""
        text = FILE.read_text()
        for written, ours in {
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "listen [::]:443 ": f"listen [::1]:{self.port} ",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen [::]:80;": f"listen [::1]:{self.plain_port};",
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{web_port};",
            f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(self.certificate),
            f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(self.folder / "key.pem"),
        }.items():
            assert text.count(written) == 1, f"{written} is not in {FILE}"
            text = text.replace(written, ours)
        return text

    def _make_certificate(self) -> None:
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-keyout", str(self.folder / "key.pem"), "-out", str(self.certificate),
                "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1",
            ],
            check=True, capture_output=True, timeout=60,
        )  # fmt: skip

    def _launch(self) -> "subprocess.Popen[bytes]":
        program = nginx_program()
        assert program
        with (self.folder / "nginx.log").open("wb") as log:
            return subprocess.Popen(
                [program, "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)],
                stdout=log, stderr=log,
            )  # fmt: skip

    def _is_up(self) -> bool:
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except OSError:
            return False
