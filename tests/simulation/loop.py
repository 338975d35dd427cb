"""An event loop whose time is simulated: a wait takes none of ours, and each run is the same."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from notices.outside import clock

T = TypeVar("T")

BEGINS = datetime(2031, 3, 3, tzinfo=UTC)
# No real database answers in less; several steps in one instant would hide who was first.
DATABASE_SECONDS = 0.001


class NothingToComeError(Exception):
    """Everybody waits for somebody else: outside of a simulation this would hang."""


class DiedError(BaseException):
    """The process dies in the middle of its work. No `except Exception` may save it."""


class Life:
    """Of a process: once it is over, nothing of what the process had begun goes on."""

    def __init__(self, steps: int | None = None, died: Callable[[], None] = lambda: None) -> None:
        """It ends before the step that follows so many, or does not end by itself."""
        self._steps_left = steps
        self._died = died
        self.is_over = False
        self.is_buried = False
        self.left_undone: list[Callable[[], object]] = []

    def step(self) -> None:
        if self._steps_left is None or self.is_over or self.is_buried:
            return
        if self._steps_left == 0:
            self.end()
        self._steps_left -= 1

    def end(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._died()


# The process in which something runs; what was here before all processes is the world's.
_life: ContextVar[Life | None] = ContextVar("life", default=None)


def life() -> Life | None:
    return _life.get()


class Loop(asyncio.BaseEventLoop):
    """Runs what is ready, and else goes to the next moment at which something is."""

    def __init__(self) -> None:
        super().__init__()
        self.world = copy_context()
        self.work_of_the_database: Callable[[Callable[[], Any]], Any] = lambda work: work()
        self._lives: list[Life] = []
        self._seconds = 0.0
        # What asyncio waits in: there are no sockets, so it only lets the time pass.
        self._selector = _Waiting(self._pass)

    def time(self) -> float:
        return self._seconds

    def _pass(self, seconds: float | None) -> None:
        if seconds is None:
            raise NothingToComeError
        self._seconds += seconds

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return super().call_soon(_while_alive, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return super().call_at(when, _while_alive, callback, *args, context=context)

    def begin(self, life: Life, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run this in a process of its own."""
        self._lives.append(life)
        return self.create_task(work, context=self._context_of(life))

    def _context_of(self, life: Life) -> Context:
        context = self.world.copy()
        context.run(_life.set, life)
        return context

    def in_world(self, seconds: float, what: Callable[..., object], *args: object) -> None:
        """Have it happen so much later, whoever dies meanwhile."""
        self.call_later(seconds, what, *args, context=self.world)

    def bury(self) -> None:
        """Let what the dead had begun be cancelled, now that it can do nothing any more."""
        for life in self._lives:
            life.is_over, life.is_buried = False, True
            for undone in life.left_undone:
                self.call_soon(undone)

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody is asleep who would have to be woken."""

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Do the work at a moment of its own, in this thread, as if outside of the loop."""
        done: asyncio.Future[T] = self.create_future()
        life = _life.get()
        if life is not None and life.is_buried:
            done.cancel()
            return done

        def work() -> None:
            with _outside(self):
                try:
                    outcome = _outcome_of(self.work_of_the_database, partial(func, *args))
                except DiedError:
                    return
            if done.cancelled():
                return
            if error := outcome.exception():
                done.set_exception(error)
            else:
                done.set_result(outcome.result())

        self.call_later(DATABASE_SECONDS, work)
        return done


def _while_alive(callback: Callable[..., Any], *args: Any) -> None:
    """Run in the context of whoever asked for it."""
    life = _life.get()
    if life is not None:
        life.step()
    if life is None or not life.is_over:
        callback(*args)
    else:
        life.left_undone.append(partial(copy_context().run, callback, *args))


class _Waiting:
    def __init__(self, wait: Callable[[float | None], None]) -> None:
        self._wait = wait

    def select(self, timeout: float | None) -> list[Any]:
        self._wait(timeout)
        return []


class Inline(Executor):
    """Does at once what an engine leaves to its thread when it ends."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return _outcome_of(fn, *args, **kwargs)


def _outcome_of(func: Callable[..., T], *args: Any, **kwargs: Any) -> Future[T]:
    outcome: Future[T] = Future()
    try:
        outcome.set_result(func(*args, **kwargs))
    except Exception as error:
        outcome.set_exception(error)
    return outcome


@contextmanager
def _outside(loop: Loop) -> Iterator[None]:
    """Django refuses its ORM where a loop runs."""
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)


class LoopsClock(clock.Clock):
    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return BEGINS + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()


@contextmanager
def simulated() -> Iterator[asyncio.Runner]:
    """Run coroutines by `runner.run(…)`, and let everything in notices/ go by the loop's time."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        loop = cast("Loop", runner.get_loop())
        with clock.turned_by(LoopsClock(loop)):
            try:
                yield runner
            finally:
                loop.bury()
