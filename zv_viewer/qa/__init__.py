"""What is wrong with a pyramid, measured: store -> :class:`~zv_viewer.qa.report.Report`."""
