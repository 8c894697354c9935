/* SPDX-License-Identifier: Apache-2.0 */
#include "support/unit.h"

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>

static struct unit_test *first;

/* Sorted by line: the order of constructors is not defined. */
void unit_add(struct unit_test *test)
{
    struct unit_test **at = &first;
    while (*at != NULL && (*at)->line < test->line) {
        at = &(*at)->next;
    }
    test->next = *at;
    *at = test;
}

int unit_main(const char *suite_name)
{
    unsigned count = 0;
    if (CU_initialize_registry() != CUE_SUCCESS) {
        fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
        return 1;
    }
    CU_pSuite suite =
        CU_add_suite_with_setup_and_teardown(suite_name, NULL, NULL, check_row_clear, NULL);
    for (struct unit_test *test = first; suite != NULL && test != NULL; test = test->next) {
        if (CU_add_test(suite, test->name, test->run) == NULL) {
            suite = NULL;
        }
        count++;
    }
    if (suite == NULL) {
        fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
        CU_cleanup_registry();
        return 1;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_ErrorCode code = CU_basic_run_tests();
    bool failed = code != CUE_SUCCESS || count == 0 || CU_get_number_of_failures() > 0 ||
                  CU_get_number_of_tests_run() != count;
    CU_cleanup_registry();
    return failed ? 1 : 0;
}
