"""How one declaration of an operation becomes a method of Tally and one of AsyncTally."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from ._calls import Call, Flow

if TYPE_CHECKING:
    from ._async import AsyncTally
    from ._sync import Tally

P = ParamSpec("P")
T = TypeVar("T")


class operation(Generic[P, T]):
    """Makes a method of what builds a Call: one that returns the result, or a coroutine in AsyncTally."""

    def __init__(self, build: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self.build = build
        self.__doc__ = build.__doc__

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[T]:
        return self.build(None, *args, **kwargs)

    if TYPE_CHECKING:

        @overload
        def __get__(self, client: None, owner: type[Tally]) -> Callable[Concatenate[Tally, P], T]: ...
        @overload
        def __get__(
            self, client: None, owner: type[AsyncTally]
        ) -> Callable[Concatenate[AsyncTally, P], Coroutine[Any, Any, T]]: ...
        @overload
        def __get__(self, client: None, owner: Any) -> operation[P, T]: ...
        @overload
        def __get__(self, client: Tally, owner: Any) -> Callable[P, T]: ...
        @overload
        def __get__(self, client: AsyncTally, owner: Any) -> Callable[P, Coroutine[Any, Any, T]]: ...
        def __get__(self, client: Any, owner: Any) -> Any: ...


class iteration(Generic[P, T]):
    """Makes a method of a flow that emits values: one that returns an iterator, or an asynchronous one in AsyncTally."""

    def __init__(self, build: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self.build = build
        self.__doc__ = build.__doc__

    if TYPE_CHECKING:

        @overload
        def __get__(self, client: None, owner: type[Tally]) -> Callable[Concatenate[Tally, P], Iterator[T]]: ...
        @overload
        def __get__(
            self, client: None, owner: type[AsyncTally]
        ) -> Callable[Concatenate[AsyncTally, P], AsyncIterator[T]]: ...
        @overload
        def __get__(self, client: None, owner: Any) -> iteration[P, T]: ...
        @overload
        def __get__(self, client: Tally, owner: Any) -> Callable[P, Iterator[T]]: ...
        @overload
        def __get__(self, client: AsyncTally, owner: Any) -> Callable[P, AsyncIterator[T]]: ...
        def __get__(self, client: Any, owner: Any) -> Any: ...


class procedure(Generic[P, T]):
    """Makes a method of a flow that returns a result: of several calls."""

    def __init__(self, build: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self.build = build
        self.__doc__ = build.__doc__

    if TYPE_CHECKING:

        @overload
        def __get__(self, client: None, owner: type[Tally]) -> Callable[Concatenate[Tally, P], T]: ...
        @overload
        def __get__(
            self, client: None, owner: type[AsyncTally]
        ) -> Callable[Concatenate[AsyncTally, P], Coroutine[Any, Any, T]]: ...
        @overload
        def __get__(self, client: None, owner: Any) -> procedure[P, T]: ...
        @overload
        def __get__(self, client: Tally, owner: Any) -> Callable[P, T]: ...
        @overload
        def __get__(self, client: AsyncTally, owner: Any) -> Callable[P, Coroutine[Any, Any, T]]: ...
        def __get__(self, client: Any, owner: Any) -> Any: ...


def methods(client: type, makers: dict[type, Callable[[Any], Callable[..., Any]]]) -> None:
    """Puts functions into a client's class for what it inherits, with names, docs and signatures. makers has for each kind of
    declaration what makes the function."""
    for base in client.__mro__[1:]:
        for name, declared in vars(base).items():
            if type(declared) not in makers:
                continue
            function = makers[type(declared)](declared)
            function.__name__ = name
            function.__qualname__ = f"{client.__name__}.{name}"
            function.__module__ = client.__module__
            function.__doc__ = declared.__doc__
            function.__wrapped__ = declared.build  # type: ignore[attr-defined]  # for its signature
            setattr(client, name, function)
