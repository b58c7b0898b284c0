#!/usr/bin/env python3
"""Runs a program and prints what it cost: processor time in milliseconds, and peak memory in KiB.

    peak_memory.py PROGRAM ARGUMENT...

The program's own output is dropped; its exit code is passed on.
"""
import resource
import subprocess
import sys

code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int((usage.ru_utime + usage.ru_stime) * 1000), usage.ru_maxrss)
sys.exit(code)
