"""The plots of docs/performance.md."""

from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.kept import by_target, load, middle

__all__ = ["draw"]

_PLOTS: Final = Path(__file__).parent.parent / "docs" / "performance"


def draw() -> None:
    """Write each plot as SVG, the same bytes for the same results."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "ordercast", "svg.fonttype": "none", "font.size": 9}
    import matplotlib.pyplot as plt

    _PLOTS.mkdir(exist_ok=True)

    def save(name: str) -> None:
        plt.tight_layout()
        plt.savefig(_PLOTS / f"{name}.svg", metadata={"Date": None})
        plt.close()

    _plot_orders(plt)
    save("orders")
    _plot_fanout(plt)
    save("fanout")
    _plot_growth(plt)
    save("growth")


def _plot_orders(plt: Any) -> None:
    plt.figure(figsize=(7, 4))
    for name, results in by_target(load("orders")).items():
        costs: dict[int, list[float]] = {}
        for result in results:
            for step in (result["quiet"] | {"passed": True}, *result.get("steps", [])):
                if step["passed"]:
                    cost = step["cpuMicrosecondsPerDelivery"]["all"]
                    costs.setdefault(step["rate"], []).append(cost)
        rates = sorted(costs)
        style = {"linewidth": 2.5} if name == "ordercast" else {"linewidth": 1}
        plt.plot(rates, [median(costs[r]) for r in rates], marker="o", label=name, **style)
    plt.xscale("log")
    plt.yscale("log")
    plt.xlabel("messages a second, as far as 99 of 100 came within 0.1 s")
    plt.ylabel("CPU µs a message, all servers")
    plt.legend()


def _plot_fanout(plt: Any) -> None:
    plt.figure(figsize=(7, 3.5))
    costs = {
        name: middle((r["steady"] for r in results), "cpuMicrosecondsPerDelivery", "all") or 0.0
        for name, results in by_target(load("fanout")).items()
    }
    names = sorted(costs, key=lambda name: -costs[name])
    colours = ["tab:orange" if name == "ordercast" else "tab:blue" for name in names]
    plt.barh(names, [costs[name] for name in names], color=colours)
    plt.xlabel("CPU µs a delivery, 2,000 readers, 20 messages a second")


def _plot_growth(plt: Any) -> None:
    rows = load("growth")["results"]
    _, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True)
    kinds = (("orders", "openOrders"), ("hubs", "hubs"), ("readers", "readers"))
    for axis, (kind, name) in zip(axes, kinds, strict=True):
        costs = [row["cpuMicrosecondsPerDelivery"]["all"] for row in rows[kind]]
        axis.plot([row[name] for row in rows[kind]], costs, marker="o")
        axis.set_xlabel({"orders": "open orders", "readers": "readers an order"}.get(kind, kind))
    most = max(row["cpuMicrosecondsPerDelivery"]["all"] for kind in rows.values() for row in kind)
    axes[0].set_ylim(0, 1.1 * most)
    axes[0].set_ylabel("CPU µs a delivery")
