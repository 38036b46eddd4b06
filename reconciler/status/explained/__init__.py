"""The forms of explained errors, one module a family; ``status.explain`` chooses among them. All pure."""
