# SPDX-License-Identifier: Apache-2.0
#
# Draws "operation views ticks" lines as an SVG picture: both axes logarithmic, a
# line an operation, each named at its right end.

function x_of(n) { return left + (log(n) - log(x_min)) / (log(x_max) - log(x_min)) * (right - left) }
function y_of(t) { return bottom - (log(t) - log(y_min)) / (log(y_max) - log(y_min)) * (bottom - top) }
function grouped(n, out)
{
	out = ""
	for (n = sprintf("%d", n); length(n) > 3; n = substr(n, 1, length(n) - 3))
		out = "," substr(n, length(n) - 2) out
	return n out
}

BEGIN {
	width = 820; height = 500
	left = 112; right = 548; top = 60; bottom = 430
	x_min = 1; x_max = 2000
	gap = 19                        # between two names, in units of the picture
	split("#1f5fa8 #b0541b #2f7d4f #8a3b8f #4a5364 #a81f3c #0f7f86 #7a6310", colours, " ")
	is["create"] = "create"
	is["set_mem_access_next"] = "set_mem_access, next"
	is["set_mem_access_first_2m"] = "set_mem_access, first in 2 MiB"
	is["destroy_one_change"] = "destroy"
	is["base_out"] = "base change, table in no view"
	is["base_out_copied_by_all"] = "base change, table in all views"
	is["base_split"] = "base change that splits 2 MiB"
	is["base_out_target_of_all"] = "page out that all views remap to"
}

!($1 in index_of) { index_of[$1] = ++series; name[series] = $1 }
{
	i = index_of[$1]
	points[i]++
	px[i, points[i]] = $2
	py[i, points[i]] = $3
	if (!low || $3 < low)
		low = $3
	if ($3 > high)
		high = $3
	if (!($2 in x_seen)) {
		x_seen[$2] = 1
		x_tick[++x_ticks] = $2
	}
	if ($2 > x_max)
		x_max = $2
}

END {
	if (!series)
		exit 1
	for (y_min = 1; y_min * 10 <= low; y_min *= 10)
		;
	for (y_max = y_min * 10; y_max < high; y_max *= 10)
		;
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\"",
		width, height, width, height
	print " role=\"img\" aria-labelledby=\"t d\""
	print "     font-family=\"system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\">"
	print "<!-- SPDX-License-Identifier: Apache-2.0 -->"
	print "<!-- Drawn by bench/run. -->"
	print "<title id=\"t\">What operations cost with many views in the domain</title>"
	print "<desc id=\"d\">Ticks of each operation over the number of views, both axes logarithmic."
	print "The figures are in the table of docs/performance.md.</desc>"
	print "<!-- A panel of its own: the colours hold on a light and on a dark page. -->"
	printf "<rect x=\"1\" y=\"1\" width=\"%d\" height=\"%d\" rx=\"12\"", width - 2, height - 2
	print " fill=\"#ffffff\" stroke=\"#8a94a6\" stroke-width=\"2\"/>"
	print "<g font-size=\"15\" font-weight=\"600\" fill=\"#1c2430\">"
	print "<text x=\"24\" y=\"34\">Ticks of one operation, by how many views the domain has</text>"
	print "</g>"
	print "<g stroke=\"#d5dae2\" stroke-width=\"1\">"
	for (t = y_min; t <= y_max * 1.001; t *= 10)
		printf "<path d=\"M%.1f %.1f H%.1f\"/>\n", left, y_of(t), right
	for (i = 1; i <= x_ticks; i++)
		printf "<path d=\"M%.1f %.1f V%.1f\"/>\n", x_of(x_tick[i]), top, bottom
	print "</g>"
	printf "<path d=\"M%.1f %.1f V%.1f H%.1f\"", left, top, bottom, right
	print " fill=\"none\" stroke=\"#4a5364\" stroke-width=\"1.5\"/>"
	print "<g font-size=\"13\" fill=\"#4a5364\">"
	print "<g text-anchor=\"end\">"
	for (t = y_min; t <= y_max * 1.001; t *= 10)
		printf "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", left - 8, y_of(t) + 4.5, grouped(t)
	print "</g>"
	print "<g text-anchor=\"middle\">"
	for (i = 1; i <= x_ticks; i++)
		printf "<text x=\"%.1f\" y=\"%.1f\">%s</text>\n", x_of(x_tick[i]), bottom + 20, grouped(x_tick[i])
	printf "<text x=\"%.1f\" y=\"%.1f\" fill=\"#1c2430\">views in the domain (logarithmic)</text>\n",
		(left + right) / 2, bottom + 46
	printf "<text transform=\"translate(30 %.1f) rotate(-90)\" fill=\"#1c2430\">", (top + bottom) / 2
	print "ticks = instructions (logarithmic)</text>"
	print "</g>"
	print "</g>"

	print "<g fill=\"none\" stroke-width=\"2\" stroke-linejoin=\"round\">"
	for (i = 1; i <= series; i++) {
		d = ""
		for (k = 1; k <= points[i]; k++)
			d = d sprintf("%s%.1f %.1f", k == 1 ? "M" : " L", x_of(px[i, k]), y_of(py[i, k]))
		printf "<path d=\"%s\" stroke=\"%s\"/>\n", d, colours[i]
	}
	print "</g>"
	for (i = 1; i <= series; i++) {
		printf "<g fill=\"%s\">", colours[i]
		for (k = 1; k <= points[i]; k++)
			printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.2\"/>", x_of(px[i, k]), y_of(py[i, k])
		print "</g>"
	}

	# Names from the lowest line up, pushed apart where they would overlap.
	for (i = 1; i <= series; i++)
		order[i] = i
	for (i = 2; i <= series; i++)
		for (k = i; k > 1 && py[order[k], points[order[k]]] < py[order[k - 1], points[order[k - 1]]]; k--) {
			o = order[k]
			order[k] = order[k - 1]
			order[k - 1] = o
		}
	print "<g font-size=\"13\">"
	for (i = 1; i <= series; i++) {
		o = order[i]
		end = y_of(py[o, points[o]])
		y = end
		if (i == 1 && y < bottom - 4)
			y += gap
		if (i > 1 && y > last - gap)
			y = last - gap
		last = y
		printf "<path d=\"M%.1f %.1f L%.1f %.1f\" stroke=\"%s\" fill=\"none\"/>",
			right + 5, end, right + 22, y, colours[o]
		printf "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s</text>\n", right + 26, y + 4.5, colours[o],
			(name[o] in is) ? is[name[o]] : name[o]
	}
	print "</g>"
	print "</svg>"
}
