/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/phase.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>

/* Row: from; column: to; in the order of the numbers on the wire. */
static const char *const allowed[PHASE_LAST + 1] = {
    /* idle queued downloading verifying installing rebooting failed upgraded */
    [PHASE_IDLE] = ".x......",        [PHASE_QUEUED] = "..x...x.",
    [PHASE_DOWNLOADING] = "...x..x.", [PHASE_VERIFYING] = "..x.x.x.",
    [PHASE_INSTALLING] = "...x.xxx",  [PHASE_REBOOTING] = "......xx",
    [PHASE_FAILED] = ".......x",      [PHASE_UPGRADED] = "........",
};

UNIT_TEST(test_every_transition, "every transition, allowed or refused")
{
    for (unsigned from = 0; from <= PHASE_LAST; from++) {
        CHECK_ROW("from = %u", from);
        CHECK_EQUAL(strlen(allowed[from]), PHASE_LAST + 1);
        for (unsigned to = 0; to <= PHASE_LAST; to++) {
            CHECK_ROW("to = %u", to);
            bool may = phase_may_follow((enum phase)from, (enum phase)to);
            if (may != (allowed[from][to] == 'x')) {
                fprintf(stderr, "%s -> %s: %d\n", phase_name(from), phase_name(to), may);
            }
            CHECK_EQUAL(may, allowed[from][to] == 'x');
        }
    }
}

UNIT_TEST(test_unknown_numbers, "numbers that are no phase")
{
    CHECK_FALSE(phase_may_follow((enum phase)(PHASE_LAST + 1), PHASE_QUEUED));
    CHECK_FALSE(phase_may_follow(PHASE_IDLE, (enum phase)(PHASE_LAST + 1)));
    CHECK_FALSE(phase_may_follow(PHASE_IDLE, (enum phase)33)); /* not bit 1 by wrapping */
    CHECK_FALSE(phase_ended((enum phase)200));
}

UNIT_TEST(test_meaning, "what each phase means")
{
    static const struct {
        enum phase phase;
        bool ended;
        bool resumable;
        bool needs_record;
    } rows[] = {
        {PHASE_IDLE, true, false, false},        {PHASE_QUEUED, false, true, false},
        {PHASE_DOWNLOADING, false, true, false}, {PHASE_VERIFYING, false, true, false},
        {PHASE_INSTALLING, false, false, true},  {PHASE_REBOOTING, true, false, false},
        {PHASE_FAILED, true, false, false},      {PHASE_UPGRADED, true, false, false},
    };
    CHECK_EACH(i, rows, "phase %u", rows[i].phase) {
        CHECK_EQUAL(phase_ended(rows[i].phase), rows[i].ended);
        CHECK_EQUAL(phase_resumable(rows[i].phase), rows[i].resumable);
        CHECK_EQUAL(phase_needs_record(rows[i].phase), rows[i].needs_record);
    }
}

UNIT_TEST(test_names, "names, both ways")
{
    for (unsigned number = 0; number <= PHASE_LAST; number++) {
        CHECK_ROW("number = %u", number);
        enum phase phase = PHASE_IDLE;
        CHECK_EQUAL(phase_find(phase_name(number), &phase), 0);
        CHECK_EQUAL((unsigned)phase, number);
    }
    enum phase untouched = PHASE_FAILED;
    CHECK_EQUAL(phase_find("Downloading", &untouched), -EINVAL);
    CHECK_EQUAL(phase_find("", &untouched), -EINVAL);
    CHECK_EQUAL(untouched, PHASE_FAILED);
}

UNIT_MAIN("phase")
