"""Options that many commands share, each written once: a field of a frozen dataclass is an option.

``@takes(StageOptions)`` gives a command all the options of the class; its body gets them as one object.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import MISSING, dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_type_hints

import typer

if TYPE_CHECKING:
    from shortcut_audit.config import Config

INPUT, RUN, PRINT = "Input", "Run", "Printing"
Strings = list[str] | None


@dataclass(frozen=True, kw_only=True)
class PrintOptions:
    """How a command prints."""

    as_json: Annotated[
        bool, typer.Option("--json", help="Print the result as JSON, and nothing else.", rich_help_panel=PRINT)
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Nothing on the error stream but errors: no progress, no remarks.",
                           rich_help_panel=PRINT)
    ] = False  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ConfigOptions(PrintOptions):
    """Where the configuration comes from."""

    config: Annotated[
        Strings,
        typer.Option(metavar="FILE", rich_help_panel=INPUT,
                     help="YAML file, or the name of a shipped one ('audit list configs'). Repeatable."),
    ] = None  # fmt: skip
    sets: Annotated[
        Strings,
        typer.Option("--set", metavar="KEY=VALUE", rich_help_panel=INPUT,
                     help="One value of the configuration, as in classifier.epochs=5. Repeatable."),
    ] = None  # fmt: skip
    seed: Annotated[int | None, typer.Option(help="Seed of every random choice.", rich_help_panel=RUN)] = None

    def load(self, base: str | None = None, **named: Any) -> Config:
        """Return the checked configuration: defaults, then --config, then --set, then named options.

        Args:
            base: a shipped configuration to begin with.
            named: further keys, with ``__`` for the dot (``evaluate__ask``); None is left out.
        """
        from shortcut_audit.config import load_config

        from .shipped import find_config, shipped_configs

        files = [shipped_configs()[base]] if base else []
        files += [find_config(name) for name in self.config or ()]
        keys = {key.replace("__", "."): value for key, value in named.items()}
        return load_config(files, self.sets or (), self._keys() | keys)

    def _keys(self) -> dict[str, Any]:
        return {"seed": self.seed}


@dataclass(frozen=True, kw_only=True)
class DataOptions(ConfigOptions):
    """Which data set."""

    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Data set: see 'audit list datasets'.", rich_help_panel=INPUT)
    ] = None
    root: Annotated[
        str | None,
        typer.Option(metavar="DIR", rich_help_panel=INPUT,
                     help="Folder of the data set; else SHORTCUT_AUDIT_DATA/NAME."),
    ] = None  # fmt: skip
    attributes: Annotated[
        str | None,
        typer.Option(metavar="FILE", rich_help_panel=INPUT,
                     help="table of spurious attributes, joined by path, UID or id (tube labels come apart)."),
    ] = None  # fmt: skip

    def _keys(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "dataset.name": self.dataset,
            "dataset.root": self.root,
            "dataset.attributes_file": self.attributes,
        }


@dataclass(frozen=True, kw_only=True)
class OutputOptions(ConfigOptions):
    """Where the outputs go, and on what is computed."""

    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", rich_help_panel=RUN, help="Where it is written; else under ./runs."),
    ] = None
    device: Annotated[
        Literal["auto", "cpu"], typer.Option(help="auto: a GPU if there is one. cpu: never.", rich_help_panel=RUN)
    ] = "auto"

    def load(self, base: str | None = None, **named: Any) -> Config:
        """Return the checked configuration, and hide the GPUs where only the CPU is to be used."""
        if self.device == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = ""  # read when torch is imported, which is later
        return super().load(base, **named)


@dataclass(frozen=True, kw_only=True)
class RunOptions(OutputOptions):
    """Whether a run that has begun goes on."""

    new: Annotated[
        bool,
        typer.Option("--new", rich_help_panel=RUN,
                     help="Start a new run, also where an unfinished one could go on."),
    ] = False  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class StageOptions(RunOptions, DataOptions):
    """All that a command needs that reads a data set and makes a run."""


Options = TypeVar("Options", bound=PrintOptions)


def takes(shared: type[Options]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that turns ``body(options, *, own...)`` into a command with all the options.

    The command's signature is the body's own parameters and one parameter for each field of
    ``shared``, its own before those it inherits and those of printing last; Typer reads nothing else.
    """
    hints = get_type_hints(shared, include_extras=True)
    printing = {field.name for field in fields(PrintOptions)}
    ordered = sorted(fields(shared), key=lambda field: (field.name in printing, field.name not in _own(shared)))
    common = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in ordered
    ]

    def decorate(body: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]

        @wraps(body)
        def command(**typed: Any) -> None:
            options = shared(**{parameter.name: typed.pop(parameter.name) for parameter in common})
            with _quiet(active=options.quiet):
                body(options, **typed)

        command.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *common]}
        return command

    return decorate


def _own(shared: type[PrintOptions]) -> frozenset[str]:
    """Return the fields that a class adds to those it inherits."""
    return frozenset(vars(shared).get("__annotations__", ()))


@contextmanager
def _quiet(*, active: bool) -> Iterator[None]:
    """Drop what is said on the error stream; an error that ends the command is printed outside."""
    if not active:
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        yield
