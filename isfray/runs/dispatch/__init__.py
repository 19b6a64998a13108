"""The queue of trials: actors that simulate and write, and the dispatcher that keeps them busy."""
