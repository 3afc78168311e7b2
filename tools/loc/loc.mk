# SPDX-License-Identifier: Apache-2.0
# Lines of code.
#   make loc         writes the table in docs/architecture.md
#   make check-loc   fails when the nucleus has reached its limit

.PHONY: loc check-loc
loc:
	@tools/loc/loc --write

check-loc:
	@tools/loc/loc --check
