"""What a run needs and takes: images, time, memory, disk space.

It may import jobs and all below it, and mid_config.
"""
