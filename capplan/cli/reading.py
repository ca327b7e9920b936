"""What commands read with: see ``capplan.tasks``."""

from capplan.tasks import Task, chosen_model, files_named, read_faulty, read_task

__all__ = ["Task", "chosen_model", "files_named", "read_faulty", "read_task"]
