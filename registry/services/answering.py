"""How a use case runs: the same request is answered once, and its change, answer and audit entry commit together."""

from collections.abc import Callable, Mapping
from typing import Any

from registry.domain.access import Request
from registry.domain.commitments import FieldValue
from registry.ports import Clock, UnitOfWork

Answer = Mapping[str, FieldValue]


def answer_once(
    uow: UnitOfWork, request: Request, clock: Clock, action: str, change: Callable[[UnitOfWork], dict[str, Any]]
) -> dict[str, Any]:
    """The answer of `change`, or the one given before to this request.

    `action` is the audit entry, in the past tense; its subject is the answer's `subject`. Nothing is kept if it raises.
    """
    with uow:
        done = uow.requests.answered(request)
        if done is not None:
            return dict(done)
        answer = change(uow)
        now = clock.now()
        uow.requests.answer(request, answer, now)
        uow.audit.append(request.actor, action, str(answer["subject"]), now)
        uow.commit()
    return answer
