#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that each check can fail: a good sample passes it, a bad one does not.

Without this a check that looks at nothing would pass for ever.
"""
import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import catalog
import completions
import coverage_gate
import documents
import layers
import man_pages
import reliability
import scripts
import sizes
import spdx
import style
import takeover
import tree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = tree.default_root()
SPDX_C = "/* SPDX-License-Identifier: Apache-2.0 */\n"
SPDX_SH = "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))


class Sample(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="vc-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.root)

    def put(self, name, text, mode=0o644):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, mode)
        return path

    def put_tree(self, *beginnings):
        """A copy of the files of the tree whose names begin so."""
        for name in tree.files(ROOT):
            if name.startswith(beginnings):
                self.put(name, tree.read(ROOT, name))

    def judge_changes(self, check, changes, named=None):
        """The copy passes; with any one of the changes (file, old, new) it does not, and the check
        prints `named`, or the name of the file."""
        self.judge(check, 0)
        for name, old, new in changes:
            with self.subTest("%s: %s" % (name, old)):
                text = tree.read(ROOT, name)
                self.assertIn(old, text)
                self.put(name, text.replace(old, new, 1))
                said = self.judge(check, 1)
                self.assertIn(named or os.path.basename(name).removesuffix(".scd"), said)
                self.put(name, text)

    def judge(self, check, expected, environment=None):
        """The status of a check over the sample; what it prints is shown when it is wrong."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), mock.patch.dict(os.environ, environment or {}):
            status = check.main(self.root)
        self.assertEqual(status, expected, out.getvalue())
        return out.getvalue()

    def judge_files(self, check, files):
        """The sample does not pass with any one of the files (name, text, mode), and the check names it."""
        for name, text, mode in files:
            with self.subTest(name):
                path = self.put(name, text, mode)
                self.assertIn(name, self.judge(check, 1))
                os.unlink(path)

    def judge_unbuilt(self, check):
        """It fails, and names the program, when one of those that have a page is not built."""
        built = man_pages.binaries(ROOT)
        programs = list(filter(None, man_pages.PAGES.values()))
        for missing in ("vsock_guest", "vsock_host-hsm"):
            with self.subTest(missing), tempfile.TemporaryDirectory() as folder:
                for program in programs:
                    if program != missing:
                        os.symlink(os.path.join(built, program), os.path.join(folder, program))
                self.assertIn(missing + " --help",
                              self.judge(check, 1, {"VSOCK_BIN_DIR": folder}))

    def run_in(self, *command, expected):
        out = subprocess.run(command, capture_output=True, text=True, cwd=self.root)
        (self.assertEqual if expected == 0 else self.assertNotEqual)(
            out.returncode, 0, "%s\n%s%s" % (command, out.stdout, out.stderr))
        return out.stdout + out.stderr


class LayersTest(Sample):
    GOOD = (("wire/a.c", "<string.h>"), ("wire/a.c", '"wire/b.h"'), ("compat/json.c", "<jansson.h>"),
            ("host/net/a.c", '"host/log.h"'), ("host/digest.c", "<gcrypt.h>"),
            ("host/main.c", '"host/options.h"'))
    BAD = (("wire/a.c", "<curl/curl.h>"), ("wire/a.c", '"compat/b.h"'), ("wire/a.c", '"b.h"'),
           ("wire/a.c", "<jansson.h>"), ("compat/a.c", '"host/log.h"'),
           ("compat/a.c", '"guest/b.h"'), ("host/daemon.c", '"guest/b.h"'),
           ("guest/a.c", '"host/conf/conf.h"'), ("host/net/a.c", "<gcrypt.h>"),
           ("host/digest.h", "<gcrypt.h>"), ("host/net/a.c", "<systemd/sd-daemon.h>"),
           ("host/systemd/notify.c", "<systemd/sd-bus.h>"),
           ("host/systemd/bus.c", "<systemd/sd-daemon.h>"),
           ("host/net/a.c", "<libvirt/libvirt.h>"), ("host/hsm/domain_xml.c", "<libvirt/libvirt.h>"),
           ("host/hsm/libvirt.c", "<libxml/tree.h>"), ("host/hsm/libvirt.h", "<libvirt/libvirt.h>"),
           ("guest/a.c", "<jansson.h>"), ("compat/a.c", "<jansson.h>"),
           ("host/digest.c", '"host/process/child.h"'), ("host/upgrade/a.c", '"host/net/worker.h"'),
           ("host/net/a.c", "<ini.h>"), ("host/net/a.c", "<openssl/ssl.h>"))

    def test_good(self):
        for name, included in self.GOOD:
            self.put("src/" + name, "#include %s\n" % included)
            self.judge(layers, 0)

    def test_bad(self):
        for name, included in self.BAD:
            with self.subTest("%s %s" % (name, included)):
                path = self.put("src/" + name, "  #  include %s\n" % included)
                self.assertIn(name.rsplit(".", 1)[0], self.judge(layers, 1))
                os.unlink(path)

    def test_call(self):
        self.put("src/host/command.h", "void command_run(void);\n")
        self.put("src/host/command.c", "void command_run(void)\n{\n}\n")
        path = self.put("src/host/net/a.c", "void command_run(void);\nint a(void)\n{\n    command_run();\n}\n")
        self.judge(layers, 0)
        os.unlink(path)
        self.put("src/host/upgrade/a.c", "void command_run(void);\nint a(void)\n{\n    command_run();\n}\n")
        self.assertIn("src/host/upgrade/a calls command_run of src/host/command", self.judge(layers, 1))

    def test_circle(self):
        self.put("src/wire/a.h", "void a(void);\n")
        self.put("src/wire/b.h", "void b(void);\n")
        self.put("src/wire/a.c", '#include "wire/a.h"\n\n#include "wire/b.h"\n\nvoid a(void)\n{\n    b();\n}\n')
        self.put("src/wire/b.c", '#include "wire/b.h"\n\nvoid b(void)\n{\n}\n')
        self.judge(layers, 0)
        self.put("src/wire/b.c", 'void a(void);\n\nvoid b(void)\n{\n    a();\n}\n')  # a call alone
        self.assertIn("src/wire/a, src/wire/b", self.judge(layers, 1))

    def test_program(self):
        self.put("src/host/hsm/a.c", '#include "host/install/b.h"\n')
        self.assertIn("src/host/hsm/a includes src/host/install/b", self.judge(layers, 1))

    def test_unknown_room(self):
        self.put("src/host/attic.c", "\n")
        self.assertIn("src/host/attic.c: no floor", self.judge(layers, 1))


class StyleTest(Sample):
    GOOD = '#include "wire/a.h"\n\n#include "wire/b.h"\n\n#include <errno.h>\n\nint a[sizeof(int)];\n'
    CHANGES = (("wire/b.h", "wire/0.h\"\n#include \"wire/b.h\"\n#include <x.h>\n#include \"wire/c.h"),
               ("<errno.h>", "<unistd.h>\n#include <errno.h>"), ("sizeof(int)", "sizeof(a)"),
               ('#include "wire/b.h"\n\n#include <errno.h>', '#include <errno.h>\n\n#include "wire/b.h"'))

    def test_changes(self):
        self.put("src/wire/a.c", self.GOOD)
        self.judge(style, 0)
        for before, after in self.CHANGES:
            with self.subTest(after):
                self.assertIn(before, self.GOOD)
                self.put("src/wire/a.c", self.GOOD.replace(before, after))
                self.assertIn("src/wire/a.c", self.judge(style, 1))


class SizesTest(Sample):
    def function(self, lines):
        return "int\nlong_one(void)\n{\n%s}\n" % ("    ;\n" * (lines - 4))

    def test_function(self):
        self.put("src/wire/a.c", self.function(60))
        self.judge(sizes, 0)
        self.put("src/wire/a.c", self.function(61))
        self.assertIn("src/wire/a.c:long_one", self.judge(sizes, 1))

    def test_file(self):
        self.put("src/wire/a.h", "\n" * 800)
        self.judge(sizes, 0)
        self.put("src/wire/a.h", "\n" * 801)
        self.judge(sizes, 1)

    def test_reason(self):
        self.put("src/wire/a.c", self.function(61))
        self.put("tests/checks/sizes.allow", "src/wire/a.c:long_one one table, read as one\n")
        self.judge(sizes, 0)
        self.put("tests/checks/sizes.allow", "src/wire/a.c:long_one\n")
        self.judge(sizes, 1)

    def test_small_file_with_one_user(self):
        self.put("src/wire/a.h", "int a;\n")
        self.put("src/wire/b.c", '#include "wire/a.h"\n')
        self.assertIn("src/wire/a has 1 lines and one user, src/wire/b", self.judge(sizes, 1))
        self.put("src/wire/c.c", '#include "a.h"\n')
        self.judge(sizes, 0)

    def test_reason_that_is_not_needed(self):
        self.put("tests/checks/sizes.allow", "src/wire/a.c:short why not\n")
        self.judge(sizes, 1)


class TextTest(Sample):
    def test_spdx(self):
        self.put("src/a.c", SPDX_C)
        self.put("scripts/a", SPDX_SH, 0o755)
        self.judge(spdx, 0)
        self.judge_files(spdx, (("src/b.h", "/* nothing */\n", 0o755),
                                ("scripts/b", "#!/bin/sh\n", 0o755),
                                ("CMakeLists.txt", "project(x)\n", 0o755),
                                ("src/c.c", "\n" * 5 + SPDX_C, 0o755)))

    def test_scripts(self):
        self.put("scripts/a", SPDX_SH + "echo \"$1\"\n", 0o755)
        self.put("scripts/b", "#!/usr/bin/env python3\nprint(1)\n", 0o755)
        self.judge(scripts, 0)
        self.judge_files(scripts, (("scripts/if", SPDX_SH + "if true; then\n", 0o755),
                                   ("scripts/py", "#!/usr/bin/env python3\nprint(\n", 0o755),
                                   ("tests/x.py", "def\n", 0o644),
                                   ("scripts/mode", SPDX_SH, 0o644),
                                   ("scripts/odd", "#!/usr/bin/perl\n", 0o755)))


class ManPagesTest(Sample):
    """One change each that makes a page say something else than the programs and the tables."""
    CHANGES = (("vsock_guest.1", "--quiet", "--quieter"),
               ("vsock_guest.1", "(default 5;", "(default 6;"),
               ("vsock_guest.1", "*json-0* (default", "*json-9* (default"),
               ("vsock_guest.1", "\n*7*\n", "\n*8*\n"),
               ("vsock_guest.1", "*VSOCK_LOCAL_CID*", "*LOCAL_CID*"),
               ("vsock_host.8", "*--dump-config*\n", "*--dump*\n"),
               ("vsock_host.8", "*vsock_guest*(1)", "*vsock_guest*(8)"),
               ("vsock_host.conf.5", "*workers* = 4", "*workers* = 5"),
               ("vsock_host.conf.5", "from 1 to 64.", "from 1 to 65."),
               ("vsock_host.conf.5", "\ncommands = get-", "\ncommands = fetch-"),
               ("vsock-protocol.7", ":  hash_mismatch", ":  hash_wrong"),
               ("vsock-protocol.7", "|  14\n", "|  15\n"),
               ("vsock_host-hsm.8", "*--config* _FILE_\n", "*--configuration* _FILE_\n"),
               ("vsock_host-install.8", "# SIGNALS", "# SIGNALS\t"))

    def setUp(self):
        super().setUp()
        self.put_tree("docs/", "conf/", "src/", "CMakeLists.txt")

    def test_changes(self):
        self.judge_changes(man_pages, [("docs/man/%s.scd" % page, old, new)
                                       for page, old, new in self.CHANGES])

    def test_not_built(self):
        self.judge_unbuilt(man_pages)


class CatalogTest(Sample):
    CHANGES = (("-- 51206f77", "-- 61206f77"), ("-- 51206f77", "-- z1206f77"),
               ("@VSOCK_DIALECT@", "@DIALECT@"),
               ("the field VSOCK_UPGRADE_SHA256= was", "@VSOCK_UPGRADE_SHA256@ was"), ("[limits] connections or", "[limits] connects or"),
               ("Support: ", "Help: "), ("man:vsock_host(8)\n", "man:vsock_host(7)\n"))

    def test_changes(self):
        self.put_tree("docs/", "conf/", "src/", "packaging/")
        self.judge_changes(catalog, [("packaging/vsock_host.catalog", old, new)
                                     for old, new in self.CHANGES])


class CompletionsTest(Sample):
    BASH = "packaging/completions/bash/"
    ZSH = "packaging/completions/zsh/"
    CHANGES = ((BASH + "vsock_guest", "--progress -v --verbose", "--progres -v --verbose"),
               (BASH + "vsock_guest", "json-1 json-0'", "json-1'"),
               (BASH + "vsock_guest", "--url --hash --no-wait", "--url --hash"),
               (BASH + "vsock_guest", "upgrade notify get-", "upgrade notfy get-"),
               (BASH + "vsock_guest", "decode ]]; then\n        _vsock_guest_files", "decode ]]; then\n        :"),
               (BASH + "vsock_host", "journal stderr auto", "journal stderr"),
               (BASH + "vsock_host", "COMPREPLY=()\n", "missing_command\n"),
               (ZSH + "_vsock_guest", "--connect-timeout=", "--connect-time="),
               (ZSH + "_vsock_host", "{-v,--verbose}", "{-v,--verbos}"))

    def test_changes(self):
        self.put_tree("packaging/")
        self.judge_changes(completions, self.CHANGES)


class DocumentsTest(Sample):
    CHANGES = (("README.md", "(docs/protocol.md)", "(docs/protocols.md)"),
               ("docs/hostos.md", "(#6-watch)", "(#6-watched)"),
               ("docs/hostos.md", "`[install]`, `[hsm]`", "`[install] installers`, `[hsm]`"),
               ("docs/hostos.md", "vsock_host --status ", "vsock_host --state "),
               ("docs/hostos.md", "| `51206f77", "| `61206f77"),
               ("docs/hostos.md", "`VSOCK_UPGRADE_RATE`", "`VSOCK_RATE`"),
               ("docs/hostos.md", "`vsock_host_timeouts_total`", "`vsock_host_timeouts`"),
               ("docs/hostos.md", "`vsock_host-hsm`", "`vsock_host-hsm --cid 3`"),
               ("docs/security.md", "`[metrics] textfile`", "`[metrics] text`"))

    def setUp(self):
        super().setUp()
        for folder in ("docs", "conf", "src", "packaging", "tests/golden"):
            self.put_tree(folder + "/")
        self.put_tree("README.md", "LICENSE")

    def test_changes(self):
        self.judge_changes(documents, self.CHANGES)

    def test_not_built(self):
        self.judge_unbuilt(documents)


class ReliabilityTest(Sample):
    CHANGES = (
        (reliability.PAGE, "`test_none.NoFault`", "`test_none.NoFaults`"),
        (reliability.PAGE, "| `test_none.NoFault` |", "| |"),
        ("tests/faults/test_none.py", "class NoFault(", "class Other("),
    )

    def test_changes(self):
        self.put_tree("docs/reliability.md", "tests/faults/", "tests/system/test_", "tests/host/test_")
        self.judge_changes(reliability, self.CHANGES, named="NoFault")


class TakeoverTest(Sample):
    SCRIPTS = "packaging/debian/vsock-host."
    CHANGES = ((SCRIPTS + "postinst", ' && deb-systemd-helper --quiet was-enabled vsock_host.service', ""),
               (SCRIPTS + "postinst", "--quiet disable", "--quiet enable"),
               (SCRIPTS + "postinst", '[ "$1" = configure ]', "true"),
               (SCRIPTS + "postinst", 'if systemctl --quiet is-enabled "$agent" 2>/dev/null', "if true"),
               (SCRIPTS + "postrm", '[ "$1" = purge ]', "true"),
               (SCRIPTS + "postrm", " /etc/vsock_host", ""),
               (SCRIPTS + "postrm", " /run/vsock_host-hsm", ""),
               (SCRIPTS + "postrm", 'rm -rf "$installs"', ":"))

    def test_changes(self):
        self.put_tree("packaging/debian/")
        self.judge_changes(takeover, self.CHANGES)


class ToolsTest(Sample):
    def needs(self, *programs):
        for program in programs:
            if not shutil.which(program):
                self.skipTest("%s is not installed" % program)

    def test_clang_format(self):
        self.needs("clang-format")
        shutil.copy(os.path.join(ROOT, ".clang-format"), self.root)
        self.put("a.c", "int f(void)\n{\n    return 1;\n}\n")
        self.run_in("clang-format", "--dry-run", "-Werror", "a.c", expected=0)
        self.put("a.c", "int f(void) { return 1; }\n")
        self.run_in("clang-format", "--dry-run", "-Werror", "a.c", expected=1)

    def test_clang_tidy(self):
        self.needs("clang-tidy")
        shutil.copy(os.path.join(ROOT, ".clang-tidy"), self.root)
        tidy = ("clang-tidy", "--quiet", "a.c", "--", "-std=gnu17")
        self.put("a.c", "int f(int x);\nint f(int x)\n{\n    return x;\n}\n")
        self.run_in(*tidy, expected=0)
        self.put("a.c", "int f(int *x);\nint f(int *x)\n{\n    if (x)\n        return 1;\n"
                        "    return *x;\n}\n")
        self.run_in(*tidy, expected=1)

    def test_thread_safety_analysis(self):
        """A function of `_locked` kind that is called without the lock does not compile."""
        self.needs("clang")
        body = ('#include "host/lock.h"\nstatic struct lock l;\nvoid g_locked(void) '
                "REQUIRES_LOCK(l);\nvoid f(void);\nvoid f(void)\n{\n%s}\n")
        compile_it = ("clang", "-std=gnu17", "-D_GNU_SOURCE", "-I" + os.path.join(ROOT, "src"),
                      "-Wthread-safety", "-Werror", "-fsyntax-only", "a.c")
        self.put("a.c", body % "    lock_take(&l);\n    g_locked();\n    lock_give(&l);\n")
        self.run_in(*compile_it, expected=0)
        self.put("a.c", body % "    g_locked();\n")
        self.assertIn("g_locked", self.run_in(*compile_it, expected=1))

    def test_hardening(self):
        self.needs("gcc", "readelf", "objdump")
        self.put("a.c", "#include <stdio.h>\nint main(int c, char **v) { char b[64]; "
                        "snprintf(b, sizeof(b), \"%s\", v[0]); return puts(b) + c; }\n")
        good = ["-O2", "-D_FORTIFY_SOURCE=2", "-fstack-protector-all", "-fcf-protection=full",
                "-fPIE", "-pie", "-Wl,-z,relro,-z,now,-z,noexecstack"]
        check = os.path.join(HERE, "hardening.py")
        for flag, said in (("-no-pie", "position"), ("-Wl,-z,norelro", "RELRO"),
                           ("-Wl,-z,lazy", "symbols"), ("-Wl,-z,execstack", "stack"),
                           ("-fno-stack-protector", "protector"),
                           ("-U_FORTIFY_SOURCE", "fortified"), ("-Wl,-rpath,/x", "run path")):
            with self.subTest(flag):
                self.run_in("gcc", *good, flag, "a.c", "-o", "a", expected=0)
                self.assertIn(said, self.run_in(sys.executable, check, "a", expected=1))

    def test_sanitizer_reports_are_seen(self):
        self.needs("gcc", "clang")
        from vsocktest.daemon import sanitizer_report
        for compiler, flag, code in (
                ("gcc", "address", "char *p = malloc(4); p[c + 3] = 1; free(p);"),
                ("gcc", "undefined", "int x = 0x7fffffff; x += c; printf(\"%d\", x);"),
                ("gcc", "address", "char *p = malloc(4); p[c] = 1; p = 0;"),
                ("clang", "thread", "pthread_t t; pthread_create(&t, 0, run, 0); run(0); "
                                    "pthread_join(t, 0);")):
            with self.subTest(flag):
                self.put("a.c", "#include <pthread.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
                                "int g;\nvoid *run(void *x) { for (int i = 0; i < 100000; i++) "
                                "g++; return x; }\nint main(int c, char **v) { (void)v; "
                                "%s return 0; }\n" % code)
                self.run_in(compiler, "-g", "-pthread", "-fsanitize=" + flag, "a.c", "-o", "a",
                            expected=0)
                done = subprocess.run([os.path.join(self.root, "a")], capture_output=True,
                                      text=True)
                self.assertTrue(sanitizer_report(done.stderr), done.stderr)
        self.assertIsNone(sanitizer_report("vsock_host: an error at runtime\n"))


class CoverageTest(unittest.TestCase):
    def summary(self, wire, others):
        return {"files": [
            {"filename": "src/wire/a.c", "line_total": 100, "line_covered": wire},
            {"filename": "src/host/b.c", "line_total": 100, "line_covered": others}]}

    def test_gate(self):
        self.assertEqual(coverage_gate.judge(self.summary(95, 75)), [])
        self.assertEqual(len(coverage_gate.judge(self.summary(94, 99))), 1)
        self.assertEqual(len(coverage_gate.judge(self.summary(95, 74))), 1)
        self.assertEqual(len(coverage_gate.judge(self.summary(0, 0))), 2)
        self.assertEqual(len(coverage_gate.judge({"files": []})), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
