# SPDX-License-Identifier: Apache-2.0
"""launch MODULE:FUNCTION ARGUMENT... [-- ARGUMENT...]... : what the console script of a package does. Several lists of
arguments are several runs, one after the other, that share the seconds which the import takes."""
import importlib
import os
import sys


def main():
    module, _, function = sys.argv[1].partition(':')
    runs = [[]]
    for word in sys.argv[2:]:
        if word == '--':
            runs.append([])
        else:
            runs[-1].append(word)
    call = getattr(importlib.import_module(module), function)
    for arguments in runs[:-1]:
        child = os.fork()
        if not child:
            sys.argv = arguments
            status = call()
            sys.stdout.flush()
            os._exit(status or 0)
        if status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            sys.exit(status)
    sys.argv = runs[-1]
    sys.exit(call())


main()
