import pytest

from tests.cli.rest import Server


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()
