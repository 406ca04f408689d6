"""A walrusd of a test: started on ports of its own, found by its ready line, ended for certain."""

import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

READY = re.compile(r"^walrusd ready client=(\S+) kafka=(\S+) admin=(\S+)$")
PATIENCE_S = 60


class Walrusd:
    def __init__(self, program: str, *flags: str):
        self.program, self.flags = program, flags
        self.directory = Path(tempfile.mkdtemp(prefix="walrusd-e2e-"))
        self.process = None
        self.kafka = self.client = ""
        self.start()

    def start(self) -> None:
        """Starts it again on the data that is there; a port that was found is kept."""
        port = self.kafka.rpartition(":")[2] or "0"
        command = [self.program, "--data-dir", str(self.directory / "data")]
        command += ["--client-port", "0", "--kafka-port", port, "--admin-port", "0", *self.flags]
        log = open(self.directory / "log", "ab")
        with log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        for line in self.process.stdout:
            if found := READY.match(line.strip()):
                self.client, self.kafka, _ = found.groups()
                return
        raise AssertionError(f"walrusd ended with {self.process.wait()}:\n{self.log()}")

    def log(self) -> str:
        return (self.directory / "log").read_text(errors="replace")

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def end(self, how: int = signal.SIGTERM) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            return process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()

    def close(self) -> None:
        self.end(signal.SIGKILL)
        shutil.rmtree(self.directory)
