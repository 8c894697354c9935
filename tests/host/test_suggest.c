/* SPDX-License-Identifier: Apache-2.0 */
#include "support/unit.h"
#include "wire/suggest.h"

#include <string.h>

static const char *const names[] = {"config", "check-config", "status", "log", "listen"};
enum { NAMES = COUNT(names) };

static const struct {
    const char *wrong;
    const char *nearest;
} samples[] = {
    {"config", "config"},
    {"confg", "config"},
    {"conffig", "config"},
    {"confog", "config"},
    {"cnofig", "config"},
    {"cnfg", "config"},
    {"cng", "(none)"},
    {"lgo", "log"},
    {"logging", "(none)"},
    {"l", "(none)"},
    {"lo", "log"},
    {"", "(none)"},
    {"stauts", "status"},
    {"statsu", "status"},
    {"statuses", "status"},
    {"check-konfig", "check-config"},
    {"checkconfig", "check-config"},
    {"lsiten", "listen"},
};

UNIT_TEST(test_samples, "what was probably meant")
{
    CHECK_EACH(i, samples, "%s", samples[i].wrong) {
        const char *nearest = suggest_name(samples[i].wrong, names, NAMES);
        CHECK_STRING(nearest != NULL ? nearest : "(none)", samples[i].nearest);
    }
}

UNIT_TEST(test_long, "long names")
{
    char wrong[66];
    char name[64];
    memset(wrong, 'x', sizeof wrong);
    memset(name, 'x', sizeof name);
    name[63] = '\0';
    const char *const one[] = {name};
    wrong[63] = '\0';
    CHECK_EQUAL(suggest_name(wrong, one, 1), name);
    wrong[63] = 'x';
    wrong[64] = '\0';
    CHECK_NULL(suggest_name(wrong, one, 1));
}

UNIT_TEST(test_no_names, "no names")
{
    CHECK_NULL(suggest_name("x", names, 0));
}

UNIT_MAIN("suggest")
