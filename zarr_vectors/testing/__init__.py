"""Small stores, unfriendly stores and the contracts that implementations inherit and pass."""
