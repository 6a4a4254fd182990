"""What the tests of this folder need on the server is made over HTTP, with new ids each time: nothing is cleaned up."""

import os
import uuid

import httpx
import pytest
from lotus_world import World, make_world

import lotus


@pytest.fixture(scope="session")
def server():
    """Host and key of the server under test."""
    host, key = os.environ.get("LOTUS_HOST"), os.environ.get("LOTUS_API_KEY")
    if not host or not key:
        pytest.fail("these tests need a running Lotus server: set LOTUS_HOST (with http://) and LOTUS_API_KEY")
    return host.rstrip("/"), key


@pytest.fixture(scope="session")
def create(server):
    """A function that posts a JSON object to a path of the server and returns the answer."""
    host, key = server
    with httpx.Client(base_url=host, headers={"x-api-key": key}, timeout=30) as http:

        def post(path, body):
            response = http.post(path, json=body)
            assert response.status_code == 201, f"POST {path}: {response.status_code} {response.text}"
            return response.json()

        yield post


@pytest.fixture
def world(create):
    ending = uuid.uuid4().hex[:12]
    names = ("plan", "event", "feature", "customer", "metric")
    return make_world(create, World(*(f"{name}_{ending}" for name in names)))


@pytest.fixture
def client(server):
    host, key = server
    with lotus.Lotus(key, host=host) as client:
        yield client
