"""`python -m gateway.cli`: how `gaocache up` starts its processes."""

from gateway.cli import main

main()
