"""Run one test file under MicroPython: micropython run.py tests/both/test_x.py

Calls each function test_* of the file in the order of their names. Prints a line
for each and a closing line `N passed, M failed`; exits 0 only if something ran
and all of it passed.
"""
import sys


def run(path):
    folder, _, name = path.rpartition("/")
    sys.path.insert(0, folder or ".")
    module = __import__(name[:-3])
    passed = failed = 0
    for test in sorted(dir(module)):
        function = getattr(module, test)
        if not test.startswith("test_") or not callable(function):
            continue
        try:
            function()
        except Exception as error:  # whatever it raises, the others run too
            failed += 1
            print("FAIL", test)
            sys.print_exception(error)
        else:
            passed += 1
            print("ok", test)
    print("%d passed, %d failed" % (passed, failed))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
