"""How many rows the layer of a store gets, among others that share the graphics card."""

from __future__ import annotations

from dataclasses import replace

from zv_viewer.layers.factory import rows_of_budget, rows_on_card
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import Budget


def left_on_card(budget: Budget, taken: int) -> Budget:
    """A budget without the bytes of the graphics card that others have taken."""
    return replace(budget, card_bytes=max(budget.card_bytes - taken, 1))


def rows_with_room(scene: SceneInfo, budget: Budget, *, taken: int, stores: int, rows: int) -> int:
    """Rows of a layer once the budget is another one.

    A larger budget may need more rows, a lower cap of the card fewer; but no store gets fewer than
    its part.

    Args:
        scene: The store.
        budget: Of all stores of the viewer.
        taken: Bytes of the card that the others have.
        stores: How many stores share the budget.
        rows: What the layer has.
    """
    left = left_on_card(budget, taken)
    if rows_on_card(scene, left.card_bytes) >= rows:
        return max(rows_of_budget(scene, left), rows)
    part = max(left.card_bytes, budget.card_bytes // stores)
    return rows_of_budget(scene, replace(budget, card_bytes=part))
