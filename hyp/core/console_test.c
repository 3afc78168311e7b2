/* SPDX-License-Identifier: Apache-2.0 */
/* The shared terminal: prefixes, partial lines, the switch key, hostile rings. */
#include "unit.h"

static struct domain *control, *app;

static int setup(void **state)
{
	(void)state;
	fake_reset(1);
	control = fake_domain(0, 1, 256, true);
	app = fake_domain(1, 1, 256, false);
	fake_run(control->vcpus[0]);
	core_lock();
	if (cpus[0].current != control->vcpus[0]) {
		vcpu_yield(cpus[0].current);
		sched_tail(&cpus[0]);
	}
	core_unlock();
	fake.console_length = 0;
	fake.console[0] = 0;
	return 0;
}

static void says(struct domain *d, const char *text)
{
	core_lock();
	console_guest_output(d, text, strlen(text));
	core_unlock();
}

static void assert_screen(const char *expected)
{
	assert_string_equal(fake.console, expected);
	fake.console_length = 0;
	fake.console[0] = 0;
}

static void type(const char *text)
{
	fake.typed = text;
	fake_event(0, EVENT_CONSOLE);
}

static struct xencons_interface *ring(void)
{
	return app->console_ring;
}

static void kick_ring(void)
{
	core_lock();
	console_ring_event(app);
	core_unlock();
}

static void ring_says(const char *text)
{
	while (*text)
		ring()->out[ring()->out_prod++ % sizeof(ring()->out)] = *text++;
	kick_ring();
}

static void lines_get_their_domain(void **state)
{
	(void)state;
	says(control, "hello\nworld\r\n");
	assert_screen("[dom0] hello\r\n[dom0] world\r\n");
	says(app, "over there\r\n");
	assert_screen("[dom1] over there\r\n");
	core_lock();
	print("one %s", "line");
	print("another\n");
	core_unlock();
	assert_screen("ravelin: one line\r\nravelin: another\r\n");
}

static void the_focused_prompt_shows_at_once(void **state)
{
	(void)state;
	says(control, "/ # ");
	assert_screen("[dom0] / # ");
	says(control, "ls\r\n");
	assert_screen("ls\r\n");
}

static void others_wait_for_the_end_of_their_line(void **state)
{
	(void)state;
	says(app, "half");
	assert_screen("");
	says(app, " and half\n");
	assert_screen("[dom1] half and half\r\n");
}

static void a_line_goes_above_an_unfinished_one(void **state)
{
	(void)state;
	says(control, "/ # ec");
	says(app, "noise\n");
	says(control, "ho\n");
	assert_screen("[dom0] / # ec\r\n[dom1] noise\r\n[dom0] / # echo\r\n");
}

static void carriage_return_keeps_the_prefix(void **state)
{
	(void)state;
	says(control, "10%\r20%\n");
	assert_screen("[dom0] 10%\r[dom0] 20%\r\n");
	says(app, "10%\r20%\n");
	assert_screen("[dom1] 20%\r\n");
}

static void control_characters_stay_in_focus(void **state)
{
	(void)state;
	says(control, "\x1b[6n");
	assert_screen("[dom0] \x1b[6n");
	says(control, "\n");
	assert_screen("\r\n");
	says(app, "\x1b[1;31mred\x1b[0m\x07 \x1b]x[dom0] liar\n");
	assert_screen("[dom1] red x[dom0] liar\r\n");
}

static void long_lines_are_cut(void **state)
{
	static char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	says(app, text);
	says(app, "\n");
	assert_true(strlen(fake.console) > 999);
	for (const char *p = fake.console; (p = strchr(p, '\n')); p++)
		assert_true(p[1] == 0 || !memcmp(p + 1, "[dom1] ", 7));
}

static void no_prefix_option(void **state)
{
	(void)state;
	options.no_prefix = true;
	says(control, "bare\n");
	assert_screen("bare\r\n");
}

static void control_a_three_times_switches(void **state)
{
	char buffer[8] = { 0 };

	(void)state;
	says(app, "app$ "); /* waits unseen */
	says(control, "/ # ");
	fake.console_length = 0;
	type("\x01\x01\x01");
	assert_screen("\r\nravelin: input goes to domain dom1 (Ctrl-A three times: the next)\r\n"
		      "[dom1] app$ ");
	type("x");
	assert_int_equal(ring()->in_prod, 1);
	assert_int_equal(ring()->in[0], 'x');
	/* Back; fewer presses are input. */
	type("\x01\x01\x01");
	assert_non_null(strstr(fake.console, "dom0"));
	type("\x01\x01z");
	assert_int_equal(fake_hypercall(CONSOLE_IO, CONSOLEIO_read, 8, 0x2000), 3);
	memcpy(buffer, fake.memory + 0x2000, 3);
	assert_string_equal(buffer, "\x01\x01z");
	assert_int_equal(ring()->in_prod, 1);
}

static void the_dead_lose_focus(void **state)
{
	(void)state;
	says(control, "last words");
	core_lock();
	domain_shutdown(control, SHUTDOWN_poweroff);
	core_unlock();
	assert_non_null(strstr(fake.console, "[dom0] last words\r\n"));
	assert_non_null(strstr(fake.console, "input goes to domain dom1"));
	type("\x01\x01\x01" "k");
	assert_int_equal(ring()->in[0], 'k');
}

static void console_io_writes_and_reads(void **state)
{
	(void)state;
	fake_put(ARG, "typed text\n", 11);
	assert_int_equal(fake_hypercall(CONSOLE_IO, CONSOLEIO_write, 11, ARG), 0);
	assert_screen("[dom0] typed text\r\n");
	assert_int_equal(fake_hypercall(CONSOLE_IO, CONSOLEIO_read, 8, ARG), 0);
	assert_int_equal(fake_hypercall(CONSOLE_IO, CONSOLEIO_write, 5, BAD_ADDRESS), -EFAULT);
	assert_int_equal(fake_hypercall(CONSOLE_IO, CONSOLEIO_write, 0xffffffff, ARG), -E2BIG);
	assert_int_equal(fake_hypercall(CONSOLE_IO, 2, 8, ARG), -ENOSYS);
	control->control = false;
	assert_int_equal(fake_hypercall(CONSOLE_IO, CONSOLEIO_read, 8, ARG), -EPERM);
}

static void input_raises_the_console_virq(void **state)
{
	struct evtchn_bind_virq bind = { .virq = VIRQ_CONSOLE };

	(void)state;
	assert_int_equal(CALL(EVENT_CHANNEL, EVTCHNOP_bind_virq, bind), 0);
	RESULT(bind);
	type("a");
	assert_true(evtchn_port_pending(control, bind.port));
}

static void the_ring_goes_round(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 500; i++)
		ring_says("0123456789\n"); /* 5,500 bytes through 2,048 */
	assert_int_equal(ring()->out_cons, ring()->out_prod);
	assert_null(strstr(fake.console, "0123456789\r\n0"));
	assert_true(evtchn_port_pending(app, app->console_port));
}

static void a_hostile_ring_is_harmless(void **state)
{
	(void)state;
	ring()->out_prod = 0x80000000u;
	kick_ring();
	assert_int_equal(ring()->out_cons, 0x80000000u);
	assert_non_null(strstr(fake.console, "out_prod"));
	ring()->out_cons = 12345; /* ours, whatever it says there */
	ring_says("fine\n");
	assert_non_null(strstr(fake.console, "[dom1] fine\r\n"));
	assert_int_equal(ring()->out_cons, 0x80000005u);

	type("\x01\x01\x01");
	ring()->in_cons = 77; /* beyond in_prod: nothing fits */
	type("abc");
	assert_int_equal(ring()->in_prod, 0);
	ring()->in_cons = 0;
	kick_ring(); /* the guest put it right, and gets what was kept */
	assert_int_equal(ring()->in_prod, 3);
	/* Everything but nonsense repeats at most a few times. */
	fake.console_length = 0;
	for (uint32_t i = 1; i < 1000; i++) {
		ring()->out_prod += 0x10000;
		kick_ring();
	}
	assert_true(strlen(fake.console) < 2000);
}

static void a_full_input_ring_keeps_the_rest(void **state)
{
	static char text[401];

	(void)state;
	memset(text, 'i', 400);
	type("\x01\x01\x01");
	type(text);
	type(text);
	type(text); /* 1,200 into 1,024 */
	assert_int_equal(ring()->in_prod, 1024);
	ring()->in_cons = 1024;
	kick_ring();
	assert_int_equal(ring()->in_prod, 1200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_get_their_domain, setup),
		cmocka_unit_test_setup(the_focused_prompt_shows_at_once, setup),
		cmocka_unit_test_setup(others_wait_for_the_end_of_their_line, setup),
		cmocka_unit_test_setup(a_line_goes_above_an_unfinished_one, setup),
		cmocka_unit_test_setup(carriage_return_keeps_the_prefix, setup),
		cmocka_unit_test_setup(control_characters_stay_in_focus, setup),
		cmocka_unit_test_setup(long_lines_are_cut, setup),
		cmocka_unit_test_setup(no_prefix_option, setup),
		cmocka_unit_test_setup(control_a_three_times_switches, setup),
		cmocka_unit_test_setup(the_dead_lose_focus, setup),
		cmocka_unit_test_setup(console_io_writes_and_reads, setup),
		cmocka_unit_test_setup(input_raises_the_console_virq, setup),
		cmocka_unit_test_setup(the_ring_goes_round, setup),
		cmocka_unit_test_setup(a_hostile_ring_is_harmless, setup),
		cmocka_unit_test_setup(a_full_input_ring_keeps_the_rest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
