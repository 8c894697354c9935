# SPDX-License-Identifier: Apache-2.0
"""Power loss after each system call that changed something: what was not synced is dropped, torn or
reordered (power.py), the daemon starts in another boot, and the guest asks again."""
import os
import random
import re
import shutil

import instants
import power


class PowerLoss(instants.UpgradeFault):
    kind = "power loss, and another boot"
    sample = 24

    def cases(self):
        """(number of calls done, way): every way that can make a difference then."""
        daemon = self.traced("both", log=self.path("log"))
        self.finish(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.log())
        found = []
        disk = self.disk()
        for number, record in enumerate(power.read_log(self.path("log")), 1):
            disk.take(record)
            ways = power.WAY_NAMES if disk.is_dirty() else ("kept",)
            found += [(number, way) for way in ways]
        self.assertEqual({os.path.relpath(path, self.folder) for path in disk.now},
                         {"upgrade/state", "install/lock", "install/record"}, "the model")
        return found

    def disk(self):
        return power.Disk({self.path("upgrade"), self.path("install")})

    def run_until(self, number):
        """The same run once more; the disk after so many calls, and whether it was installed by
        then, and the reboot asked for."""
        daemon = self.traced("both", log=self.path("log"))
        self.finish(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.log())
        disk, done = self.disk(), set()
        for record in list(power.read_log(self.path("log")))[:number]:
            disk.take(record)
            done.update(re.findall(rb"^stage=(\w+)", record.data))
        return disk, b"installed" in done, b"rebooting" in done

    def lose_power(self, disk, way, chance):
        for name in ("upgrade", "install"):
            shutil.rmtree(self.path(name))
            os.mkdir(self.path(name), 0o700 if name == "upgrade" else 0o755)
        for folder in disk.folders:
            os.makedirs(folder, 0o700, exist_ok=True)
        for path, content in disk.left(*power.way(way, chance)).items():
            with open(path, "wb") as out:
                out.write(content)
            os.chmod(path, 0o644 if "." not in os.path.basename(path) else 0o600)
        for name in ("installed", "rebooted"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))

    def attempt(self, case):
        number, way = case
        disk, installed, rebooting = self.run_until(number)
        self.lose_power(disk, way, random.Random(repr(case)))
        daemon = self.daemon(prefix=instants.in_another_boot(self.folder))
        if self.status(daemon).phase == "upgraded":
            self.assertTrue(installed, "upgraded was told, and nothing was installed")
            # A record that was being written when the power went; the next installation removes it.
            if os.path.exists(self.path("install", "record.new")):
                os.unlink(self.path("install", "record.new"))
            self.assertNothingLeft()
            self.assertEqual(daemon.stop(), 0)
            return
        self.assertFalse(rebooting, "it was installed, the reboot came, and it is not told")
        self.finish(daemon, failures=1)
        self.assertUpgradedAfterReboot(daemon)
