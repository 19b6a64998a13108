"""`python -m isfray`."""

from isfray.cli import main

raise SystemExit(main())
