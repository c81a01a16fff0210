"""Real servers for the tests: each on its own loopback port, in its own temporary directory."""
