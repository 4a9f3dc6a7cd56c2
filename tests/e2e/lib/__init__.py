"""What the end-to-end tests share: a runner, the server under test, clients."""
