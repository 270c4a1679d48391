"""What tests and benches share: boards behind a pseudo-terminal, script boards, the browser."""
