"""One worker, composed of its duties."""

import contextlib
from collections.abc import Iterator

from hub.app import Hub
from hub.core.privacy.pseudonyms import Pseudonyms
from hub.errors import StartError
from hub.eta import training
from hub.settings import Settings
from hub.store.deadlines import DeadlineStore
from hub.store.leases import Leases
from hub.store.log import Log
from hub.store.models import ModelStore
from hub.store.roster import Roster
from hub.worker.audit import Auditor
from hub.worker.deadlines import Deadlines
from hub.worker.erasures import Erasing
from hub.worker.keys import Keys, load_keys
from hub.worker.lake import check_extra
from hub.worker.learning import READER, Learning
from hub.worker.presence import Presence
from hub.worker.retraining import ModelFile, Retraining
from hub.worker.sources import sources
from hub.worker.warehouse import Warehouse
from hub.worker.witness import Witness, Witnessing, witness_of
from hub.worker.worker import Duty, Led, Worker, worker_name

__all__ = ["auditing_of", "worker_of"]


def auditing_of(settings: Settings, *, make: bool = False) -> tuple[Keys, Witness | None]:
    """Raises StartError."""
    witness = None if settings.witness is None else witness_of(settings.witness)
    return load_keys(settings, make=make), witness


@contextlib.contextmanager
def worker_of(hub: Hub, keys: Keys, witness: Witness | None) -> Iterator[Worker]:
    """Raises StartError."""
    name = worker_name()
    leases = Leases(hub.connection, name)
    log, interval = Log(hub.connection, "audit"), hub.settings.audit_interval
    learned, models = Log(hub.connection, READER), ModelStore(hub.connection)
    learning = Learning(learned, hub.order_store, models, hub.order_index, hub.roster)
    model_file = ModelFile(models, hub.settings.data_dir)
    duties: list[Duty] = [
        Deadlines(DeadlineStore(hub.connection), hub.exceptions),
        Presence(Roster(hub.connection, "worker"), name),
        Led(Erasing(hub.customers), leases, "erasures"),
        Led(Auditor(log, hub.audit_store, keys, interval), leases, "audit"),
        Led(learning, leases, "eta"),
        model_file,
    ]
    if witness is not None:
        duties.append(Led(Witnessing(hub.audit_store, witness), leases, "witness"))
    if hub.settings.warehouse is not None:
        root, data_dir = hub.settings.warehouse, hub.settings.data_dir
        duties.append(Led(_warehouse_of(hub, root), leases, "warehouse"))
        if training.available():  # who cannot train must not lead those who can
            retraining = Retraining(root, data_dir, models, model_file)
            duties.append(Led(retraining, leases, "eta-training"))
    try:
        yield Worker(duties)
    finally:
        log.close()
        learned.close()


def _warehouse_of(hub: Hub, root: str) -> Warehouse:
    """Raises StartError."""
    check_extra()
    if hub.settings.secret is None:
        raise StartError("ORDERCAST_WAREHOUSE: needs ORDERCAST_SECRET, to make pseudonyms by")
    names, interval = Pseudonyms(hub.settings.secret), hub.settings.warehouse_interval
    filled, keep = sources(hub.order_store, names), hub.settings.warehouse_retention
    return Warehouse(root, hub.connection, filled, names, interval, keep)
