"""One thread, no GPU: the networks are too small for more, and equal bytes are asked for."""

from one_thread import one_thread_on_the_processor

__all__ = ["one_thread_on_the_processor"]
