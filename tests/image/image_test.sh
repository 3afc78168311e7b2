#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# image_test.sh TOOL BZIMAGE-MAKER DIRECTORY: tests ravelin-image as a user runs
# it. Each mistake a manifest can have must give its message with file, line,
# node and property, exit status 2, and no image; sound manifests must give an
# image that QEMU loads whole, by multiboot and from memory.
set -u
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
tool=$(realpath "$1")
bzimage=$(realpath "$2")
rm -rf "$3" && mkdir -p "$3" && cd "$3" || exit 1
tests=0
failed=0

fail() {
	failed=$((failed + 1))
	echo "FAILED: $1"
	[ ! -s err ] || sed 's/^/    /' err
}

# expect STATUS FRAGMENT COMMAND...: runs it; stderr must have the fragment.
expect() {
	want=$1 fragment=$2
	shift 2
	tests=$((tests + 1))
	"$@" >out 2>err
	status=$?
	if [ $status -ne "$want" ]; then
		fail "$fragment: status $status, not $want: $*"
		return 1
	fi
	if [ -n "$fragment" ] && ! grep -qF -- "$fragment" err; then
		fail "no message \"$fragment\" from: $*"
		return 1
	fi
}

# shows FRAGMENT: what `expect` ran last has it on stdout.
shows() {
	tests=$((tests + 1))
	grep -qF -- "$1" out || { fail "not shown: $1"; cat out; }
}

# source TEXT: the manifest with this in /chosen, as bad.dts.
source_is() {
	printf '/dts-v1/;\n/ { chosen {\n%s\n}; };\n' "$1" >bad.dts
}

# bad MESSAGE TEXT: the manifest with TEXT in /chosen is refused with that message, and no image.
bad() {
	source_is "$2"
	expect 2 "$1" "$tool" build -q -I hyp.elf -o bad.elf bad.dts || return
	if [ -e bad.elf ] || ls bad.elf.* >/dev/null 2>&1; then
		fail "left an image: $1"
		rm -f bad.elf*
	fi
	grep -q '^bad.dts:[0-9]*: /' err || fail "no file and line: $1"
	grep -q '^bad.dts: [0-9]* mistakes*$' err || fail "no count: $1"
}

memory='memory = <0 0x2000>;'
cpus='cpus = <1>;'
kernel='module@0 { compatible = "multiboot,kernel", "multiboot,module"; ravelin,file = "guest32"; };'

# domain NAME PROPERTIES: a sound domain with more in it.
domain() {
	printf '%s { compatible = "xen,domain"; %s %s %s\n%s };\n' "$1" "$memory" "$cpus" "$2" "$kernel"
}

# with_kernel FILE: a domain of 8 MiB with that kernel.
with_kernel() {
	printf 'd { compatible = "xen,domain"; %s %s\nk { compatible = "multiboot,kernel", "multiboot,module";
ravelin,file = "%s"; }; };\n' "$memory" "$cpus" "$1"
}

# with_ramdisk TEXT: a sound domain with a ramdisk module that has TEXT.
with_ramdisk() {
	domain d "r { compatible = \"multiboot,ramdisk\", \"multiboot,module\";
$1 };"
}

# guest OUT BITS BASE DATA [-D...]
guest() {
	guest_out=$1 bits=$2 base=$3 data=$4
	shift 4
	emulation=elf_i386
	[ "$bits" = 32 ] || emulation=elf_x86_64
	gcc -m"$bits" "$@" -c "$here/guest.S" -o guest.o &&
		ld -m $emulation -z max-page-size=4096 --no-warn-rwx-segments --defsym BASE="$base" \
			--defsym DATA="$data" -T "$here/guest.ld" guest.o -o "$guest_out" || exit 1
}

gcc -m32 -c "$here/hyp.S" -o hyp.o &&
	ld -m elf_i386 -z max-page-size=4096 -T "$here/hyp.ld" hyp.o -o hyp.elf || exit 1
guest guest32 32 0x100000 0x200000
guest guest64 64 0x100000 0x200000
guest no-note 32 0x100000 0x200000 -DNO_NOTE
guest other-note 64 0x100000 0x200000 -DOTHER_NOTE
guest entry-outside 32 0x100000 0x200000 -DENTRY_OUTSIDE
guest zeroes 32 0x100000 0x200000 -DZEROES
guest high 32 0x100000 0x6fd000
guest fits 32 0x100000 0x6fb000
guest in-hole 32 0x9fff0 0x200000
guest low 32 0x90000 0x200000
guest huge 64 0x100000000 0x100200000
: >empty
printf '!END%s' "of the ramdisk" >ramdisk
head -c 6000000 /dev/zero >large
head -c 7000000 /dev/zero >too-large
for format in gzip xz lzma zstd lz4 lz4-many plain bzip2; do
	"$bzimage" $format guest64 bz-$format || exit 1
done
head -c 1600 bz-xz >bz-cut
"$bzimage" gzip ramdisk bz-no-elf || exit 1
# Half of an ELF file, and one whose segment table is nonsense.
head -c 4500 guest32 >guest-cut
for format in gzip xz lzma zstd lz4; do
	# The middle of the payload, where all of these notice.
	cp bz-$format bz-$format-bad
	printf '\377\377\377\377\377\377\377\377' |
		dd of=bz-$format-bad bs=1 seek=1580 conv=notrunc status=none
done
cp bz-lz4 bz-size-bad
size=$(stat -c %s bz-size-bad)
printf '\377\377\377\377' | dd of=bz-size-bad bs=1 seek=$((size - 4)) conv=notrunc status=none

# ---- mistakes in the manifest --------------------------------------------

bad '/chosen/d: memroy: unknown property; expected one of compatible' "$(domain d 'memroy = <0 1>;')"
bad '/chosen: raveline: unknown property; expected one of' "raveline; $(domain d '')"
bad '/chosen/d: xen,passthrough: unknown property' "$(domain d 'xen,passthrough;')"
bad '/chosen/d/r: bootarg: unknown property' "$(with_ramdisk 'bootarg = "x"; ravelin,file = "ramdisk";')"
bad '/chosen/d/r: reg: says where a boot loader' "$(with_ramdisk 'reg = <1 2>; ravelin,file = "ramdisk";')"
bad '/chosen/d/r: bootargs: does not belong to a ramdisk' \
	"$(with_ramdisk 'bootargs = "x"; ravelin,file = "ramdisk";')"
bad '/chosen/e: unknown node; expected a domain' "$(domain d '') e { };"
bad '/chosen/e: compatible: unknown node; expected a domain' \
	"$(domain d '') e { compatible = \"xen,domian\"; };"
bad '/chosen/d/x: unknown node; expected compatible = "multiboot,kernel"' "$(domain d 'x { };')"
bad '/chosen/d/x: compatible: unknown node; expected compatible = "multiboot,kernel"' \
	"$(domain d 'x { compatible = "multiboot,module"; };')"
bad '/chosen/d/x: compatible: unknown node' "$(domain d 'x { compatible = "multiboot,kernel"; };')"
bad '/chosen/d/r/x: unknown node; expected none in a module' \
	"$(with_ramdisk 'ravelin,file = "ramdisk"; x { };')"
bad '/chosen: has no domain; expected at least one' ''
bad '/chosen/d: memory: is missing; expected two cells' "d { compatible = \"xen,domain\"; $cpus $kernel };"
bad '/chosen/d: cpus: is missing; expected one cell' "d { compatible = \"xen,domain\"; $memory $kernel };"
bad '/chosen/d: has no kernel; expected a node' "d { compatible = \"xen,domain\"; $memory $cpus };"
bad '/chosen/d/module@0: is a second kernel, after /chosen/d/k; expected one' \
	"$(domain d 'k { compatible = "multiboot,kernel", "multiboot,module"; ravelin,file = "guest32"; };')"
bad '/chosen/d/s: is a second ramdisk, after /chosen/d/r' "$(with_ramdisk 'ravelin,file = "ramdisk"; };
s { compatible = "multiboot,ramdisk", "multiboot,module"; ravelin,file = "ramdisk";')"

real_memory=$memory
for value in '<0x2000>:is 4 bytes long, not two 4-byte cells' '<0 0 0x2000>:is 12 bytes long' \
	'"8M":is 3 bytes long' '<0 0>:is 0 KiB' \
	'<0 8190>:is 8190 KiB; expected two cells <high low>: KiB of RAM, a multiple of 4' \
	'<0 0x4000004>:is 67108868 KiB' '<1 0>:is 4294967296 KiB' \
	'<0xffffffff 0xfffffffc>:is 18446744073709551612 KiB'; do
	memory="memory = ${value%%:*};"
	bad "/chosen/d: memory: ${value#*:}" "$(domain d '')"
done
memory=$real_memory
real_cpus=$cpus
for value in '<0>:is 0; expected one cell, the number of vCPUs: 1 .. 16' '<17>:is 17; expected' \
	'<1 2>:is 8 bytes long' \
	'"2":is 2 bytes long, not one 4-byte cell'; do
	cpus="cpus = ${value%%:*};"
	bad "/chosen/d: cpus: ${value#*:}" "$(domain d '')"
done
cpus=$real_cpus

bad '/chosen/e: ravelin,control: is a second control domain, after /chosen/d' \
	"$(domain d 'ravelin,control;') $(domain e 'ravelin,control;')"
bad '/chosen/d: ravelin,control: has a value; expected a flag' "$(domain d 'ravelin,control = <1>;')"
bad '/chosen/e: ravelin,name: "d" is also the name of /chosen/d' \
	"$(domain d '') $(domain e 'ravelin,name = "d";')"
bad '/chosen/d: ravelin,name: is 32 bytes long; expected one printable string of 1 .. 31 bytes' \
	"$(domain d 'ravelin,name = "12345678901234567890123456789012";')"
bad '/chosen/d: ravelin,name: is 0 bytes long' "$(domain d 'ravelin,name = "";')"
bad '/chosen/d: ravelin,name: has the unprintable byte 0x0a' "$(domain d 'ravelin,name = "a\nb";')"
bad '/chosen/d: ravelin,name: has the unprintable byte 0xc3' "$(domain d 'ravelin,name = "\xc3\xa4";')"
bad '/chosen/d: ravelin,name: is more than one string' "$(domain d 'ravelin,name = "a", "b";')"
bad '/chosen/d: ravelin,name: is not a string' "$(domain d 'ravelin,name = <1>;')"
bad "the node's name is 32 bytes long; expected at most 31" "$(domain d2345678901234567890123456789012 '')"
bad '/chosen/d: ravelin,altp2m: is "on"; expected "disabled", "mixed"' "$(domain d 'ravelin,altp2m = "on";')"
bad '/chosen/d: ravelin,altp2m: is not a string' "$(domain d 'ravelin,altp2m = <1>;')"
bad '/chosen/d: ravelin,altp2m-deny: has the sub-op 17; expected' \
	"$(domain d 'ravelin,altp2m-deny = <1 17>;')"
bad '/chosen/d: ravelin,altp2m-deny: has the sub-op 0; expected' "$(domain d 'ravelin,altp2m-deny = <0>;')"
bad '/chosen/d: ravelin,altp2m-deny: has the sub-op 63; expected' "$(domain d 'ravelin,altp2m-deny = <63>;')"
bad '/chosen/d: ravelin,altp2m-deny: has the sub-op 74; expected' \
	"$(domain d 'ravelin,altp2m-deny = <64 73 74>;')"
bad '/chosen/d: ravelin,altp2m-deny: is 2 bytes long' "$(domain d 'ravelin,altp2m-deny = [00 01];')"
bad '/chosen/d: ravelin,altp2m-deny: is 0 bytes long' "$(domain d 'ravelin,altp2m-deny;')"
bad '/chosen/d: ravelin,altp2m-deny: has the sub-op "1"; expected altp2m sub-ops, by name' \
	"$(domain d 'ravelin,altp2m-deny = "1";')"
bad '/chosen/d: ravelin,altp2m-deny: has the sub-op "change_gfx"; expected' \
	"$(domain d 'ravelin,altp2m-deny = "change_gfn", "change_gfx";')"
bad '/chosen/d: ravelin,altp2m-deny: has the sub-op ""; expected' \
	"$(domain d 'ravelin,altp2m-deny = "change_gfn", "";')"
bad '/chosen/d: ravelin,level: "guarded" is not available yet; expected "open"' \
	"$(domain d 'ravelin,level = "guarded";')"
bad '/chosen/d: ravelin,level: "fused" is not available yet' "$(domain d 'ravelin,level = "fused";')"
bad '/chosen/d: ravelin,level: is "closed"; expected' "$(domain d 'ravelin,level = "closed";')"
bad '/chosen/d: ravelin,table-budget: is 0; expected one cell' "$(domain d 'ravelin,table-budget = <0>;')"
bad '/chosen/d: ravelin,table-budget: 8 frames cannot map 8 MiB; expected 9 or more' \
	"$(domain d 'ravelin,table-budget = <8>;')"
bad '/chosen/d: ravelin,weight: is 0; expected one cell: 1 .. 65535' "$(domain d 'ravelin,weight = <0>;')"
bad '/chosen/d: ravelin,weight: is 65536; expected' "$(domain d 'ravelin,weight = <65536>;')"
bad '/chosen/d: #address-cells: is 3; expected' "$(domain d '#address-cells = <3>;')"
bad '/chosen/d: #size-cells: is 8 bytes long' "$(domain d '#size-cells = <1 1>;')"
bad '/chosen: #address-cells: is 0 bytes long' "#address-cells; $(domain d '')"
bad '/chosen: ravelin,options: is not a string' "ravelin,options = <1>; $(domain d '')"
long=$(head -c 4096 /dev/zero | tr '\0' x)
bad '/chosen: ravelin,options: is 4096 bytes long; expected' "ravelin,options = \"$long\"; $(domain d '')"
bad '/chosen/d/k: bootargs: is 4096 bytes long; expected the command line' \
	"d { compatible = \"xen,domain\"; $memory $cpus
k { compatible = \"multiboot,kernel\", \"multiboot,module\"; ravelin,file = \"guest32\";
bootargs = \"$long\"; }; };"
many=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
	many="$many $(domain d$i '')"
done
bad '/chosen/d17: is domain number 17; expected at most 16' "$many"

# ---- files ----------------------------------------------------------------

bad '/chosen/d/r: ravelin,file: is missing; expected the path of a file' "$(with_ramdisk '')"
bad '/chosen/d/r: ravelin,file: is empty' "$(with_ramdisk 'ravelin,file = "";')"
bad '/chosen/d/r: ravelin,file: nowhere/x: No such file or directory; expected a ramdisk' \
	"$(with_ramdisk 'ravelin,file = "nowhere/x";')"
bad '/chosen/d/k: ravelin,file: nowhere: No such file or directory; expected a kernel' \
	"$(with_kernel nowhere)"
bad '/chosen/d/r: ravelin,file: .: not a regular file' "$(with_ramdisk 'ravelin,file = ".";')"
bad '/chosen/d/r: ravelin,file: empty is empty; expected a ramdisk' \
	"$(with_ramdisk 'ravelin,file = "empty";')"
bad '/chosen/d/r: ravelin,file: ${RAMDISK} is not defined; expected the option -D RAMDISK=path' \
	"$(with_ramdisk 'ravelin,file = "${RAMDISK}";')"
bad '/chosen/d/r: ravelin,file: has "${" without "}"' "$(with_ramdisk 'ravelin,file = "a/${RAMDISK";')"
bad 'no-note is not a PVH kernel: it has no Xen note PHYS32_ENTRY; expected' "$(with_kernel no-note)"
bad 'other-note is not a PVH kernel' "$(with_kernel other-note)"
bad 'entry-outside has its PVH entry 0x10 outside its segments' "$(with_kernel entry-outside)"
bad 'ramdisk is neither an ELF file nor a bzImage; expected' "$(with_kernel ramdisk)"
bad 'empty is neither an ELF file nor a bzImage' "$(with_kernel empty)"
bad 'guest-cut is damaged: a segment leaves the file' "$(with_kernel guest-cut)"
bad 'bz-cut is a bzImage whose payload is not inside the file' "$(with_kernel bz-cut)"
bad 'bz-bzip2 is a bzImage compressed with bzip2; expected gzip, xz, lzma, lz4 or zstd' \
	"$(with_kernel bz-bzip2)"
bad 'bz-no-elf is not a sound ELF file' "$(with_kernel bz-no-elf)"
bad 'bz-size-bad is a bzImage that says it unpacks to 4294967295 bytes' "$(with_kernel bz-size-bad)"
for format in gzip xz lzma zstd lz4; do
	bad "bz-$format-bad is a damaged bzImage: its $format payload" "$(with_kernel bz-$format-bad)"
done
gcc -m32 -c "$here/guest.S" -o arm.o && printf '\050' | dd of=arm.o bs=1 seek=18 conv=notrunc status=none
bad 'arm.o is for another kind of CPU; expected x86' "$(with_kernel arm.o)"

# ---- does it fit? ---------------------------------------------------------

bad '/chosen/d: memory: 8 MiB does not hold high: its segment 0x6fd000 .. 0x701008 does not fit' \
	"$(with_kernel high)"
bad 'huge has its PVH entry 0x100000000 outside its segments or above 4 GiB' "$(with_kernel huge)"
bad '/chosen/d/k: ravelin,file: in-hole has a segment at' "$(with_kernel in-hole)"
bad '/chosen/d: memory: 8 MiB does not hold the ramdisk too-large (7.0 MB) beside the kernel' \
	"$(with_ramdisk 'ravelin,file = "too-large";')"
# 6 MB would fit 7 MiB, but the kernel's second segment at 2 MiB stands in the middle.
bad 'does not hold the ramdisk large (6.0 MB)' "$(with_ramdisk 'ravelin,file = "large";')"
# Segments that overlap: the second one's physical address, in the program header, is moved to the first's.
cp guest32 overlap
printf '\000\000\020\000' | dd of=overlap bs=1 seek=$((52 + 32 + 12)) conv=notrunc status=none
bad 'overlap has segments that overlap: 0x100000 .. ' "$(with_kernel overlap)"
truncate -s 1100M sparse-a
printf a | dd of=sparse-a conv=notrunc status=none
cp --sparse=always sparse-a sparse-b
printf b | dd of=sparse-b conv=notrunc status=none
memory='memory = <0 0x200000>;'
bad '/chosen: kernels and ramdisks take 2306.' "$(with_ramdisk 'ravelin,file = "sparse-a";')
$(with_ramdisk 'ravelin,file = "sparse-b"; ' | sed 's/^d /e /')"
memory=$real_memory
rm -f sparse-a sparse-b

# Several mistakes: all of them, with the lines they are on.
source_is 'd { compatible = "xen,domain";
memory = <0 1>;
cpus = <0>;
oops;
k { compatible = "multiboot,kernel", "multiboot,module";
	ravelin,file = "nowhere"; };
};'
expect 2 'bad.dts:4: /chosen/d: memory: ' "$tool" check bad.dts
for fragment in 'bad.dts:5: /chosen/d: cpus: ' 'bad.dts:6: /chosen/d: oops: ' \
	'bad.dts:8: /chosen/d/k: ravelin,file: ' 'bad.dts: 4 mistakes'; do
	expect 2 "$fragment" "$tool" check bad.dts
done

# ---- not a manifest, and the command line ---------------------------------

echo 'oops' >oops.dts
expect 2 'oops.dts: not device-tree source that dtc can compile; expected' "$tool" check oops.dts
expect 2 'nowhere.dts: No such file or directory; expected a manifest' "$tool" check nowhere.dts
printf '\320\015\376\355 and then nothing' >oops.dtb
expect 2 'oops.dtb: not a sound device-tree blob' "$tool" check oops.dtb
echo '/dts-v1/; / { chosn { }; };' >oops.dts
expect 2 'oops.dts:1: /chosn: unknown node; expected only /chosen' "$tool" check oops.dts
expect 2 'oops.dts:1: /: has no node chosen' "$tool" check oops.dts
expect 2 'usage: ravelin-image check' "$tool"
expect 2 'usage: ravelin-image build' "$tool" make x
expect 2 'expected -o out.elf and one manifest' "$tool" build good.dts
expect 2 '-D X: not a definition; expected NAME=path' "$tool" check -D X good.dts
# Without dtc there is a hint at the package.
source_is "$(domain d '')"
expect 2 'expected Debian'"'"'s package device-tree-compiler' env PATH=/nowhere "$tool" check bad.dts

# ---- sound manifests ------------------------------------------------------

cat >good.dts <<-'END'
	/dts-v1/;
	/ {
		chosen {
			ravelin,options = "cpus=2";
			app {
				compatible = "xen,domain";
				memory = <0 0x2000>;
				cpus = <2>;
				ravelin,weight = <512>;
				ravelin,altp2m = "external";
				ravelin,altp2m-deny = <8 16 65>;
				module@0 {
					compatible = "multiboot,kernel", "multiboot,module";
					ravelin,file = "${KERNEL}";
					bootargs = "one two";
				};
				module@1 {
					compatible = "multiboot,ramdisk", "multiboot,module";
					ravelin,file = "ramdisk";
				};
			};
			second@2 {
				compatible = "xen,domain";
				memory = <0x0 0x2000>;
				cpus = <16>;
				ravelin,control;
				ravelin,level = "open";
				ravelin,altp2m-deny = "create_p2m", "split_remap";
				ravelin,table-budget = <77>;
				module@0 {
					compatible = "multiboot,kernel", "multiboot,module";
					ravelin,file = "guest64";
				};
			};
		};
	};
END
expect 0 'good.dts: sound, 2 domains' "$tool" check -D KERNEL=guest32 good.dts
expect 0 'packed 2 domains' "$tool" build -I hyp.elf -D KERNEL=guest32 -o good.elf good.dts
expect 0 '' "$tool" show good.elf
# The control domain is first, whatever the order in the file.
for fragment in 'options  "cpus=2"' \
	' 0  second            yes         16       8 MiB     256  0x00100000      77  disabled  open     create_p2m split_remap' \
	' 1  app               no           2       8 MiB     512  0x00100000      84  external  ' \
	' external  open     change_gfn set_visibility get_entry' \
	"ramdisk  sha256 $(sha256sum ramdisk | cut -c 1-64) (18 B at" 'cmdline  "one two"' \
	"$(sha256sum good.elf | cut -c 1-64)" 'pack     0x02000000, '; do
	shows "$fragment"
done
cp good.elf before.elf
expect 0 '' "$tool" build -q -I hyp.elf -D KERNEL=guest32 -o good.elf good.dts
expect 0 '' cmp good.elf before.elf
expect 0 '' sh -c '! test -s err'
# The same through a blob, and from another directory.
dtc -q -O dtb -o good.dtb good.dts
expect 0 '' "$tool" build -q -I hyp.elf -D KERNEL=guest32 -o good.elf good.dtb
expect 0 '' cmp good.elf before.elf
mkdir -p away
expect 0 '' sh -c "cd away && '$tool' build -q -I ../hyp.elf -D KERNEL=../guest32 -o good.elf ../good.dts"
expect 0 '' cmp away/good.elf before.elf
# A mistake leaves an older image alone.
expect 2 'not defined' "$tool" build -q -I hyp.elf -o good.elf good.dts
expect 0 '' cmp good.elf before.elf
expect 2 'is an input of this very command' "$tool" build -q -I hyp.elf -D KERNEL=guest32 -o good.dts good.dts
expect 1 'cannot be written' "$tool" build -q -I hyp.elf -D KERNEL=guest32 -o nowhere/x.elf good.dts
# Every kind of bzImage, all the same kernel: packed once.
for format in gzip xz lzma zstd lz4 lz4-many plain; do
	expect 0 '' "$tool" build -q -I hyp.elf -D KERNEL=bz-$format -o bz.elf good.dts
	expect 0 '' "$tool" build -q -I hyp.elf -D KERNEL=guest64 -o elf.elf good.dts
	expect 0 '' cmp bz.elf elf.elf
done
# Zeroes at a segment's end are left to the zeroed memory: one page of the file instead of six.
source_is "$(with_kernel zeroes)"
expect 0 '' "$tool" build -q -I hyp.elf -o zeroes.elf bad.dts
expect 0 '' "$tool" show zeroes.elf
shows '0x0000200000  0x0000209008       36.9 kB'
shows 'kernel, 4.1 kB at'
# Just inside.
for kernel_file in fits low; do
	source_is "$(with_kernel $kernel_file)"
	expect 0 '' "$tool" check -q bad.dts
done

# ---- the hypervisor's side ------------------------------------------------

build_with() {
	"$tool" build -q -I "$1" -D KERNEL=guest32 -o bad.elf good.dts
}
expect 2 "nowhere: No such file or directory; expected the hypervisor's ELF file" build_with nowhere
expect 2 'ramdisk: is not a sound ELF file' build_with ramdisk
expect 2 'guest32: has no multiboot header; expected one in the first 8 KiB' build_with guest32
expect 2 'no-note: has no Xen note PHYS32_ENTRY' build_with no-note
expect 2 'huge: has a segment at physical address 0x100000000; expected all below 4 GiB' build_with huge
expect 2 'good.elf: has no unfilled struct image_ref' build_with good.elf
sed 's/^zero:/.data; .align 8; .quad 0x4645524e494c5652, 0, 0; .bss; zero:/' "$here/hyp.S" >twice.S
gcc -m32 -c twice.S -o twice.o &&
	ld -m elf_i386 -z max-page-size=4096 -T "$here/hyp.ld" twice.o -o twice.elf || exit 1
expect 2 'twice.elf: has more than one unfilled struct image_ref' build_with twice.elf
expect 1 '' test -e bad.elf
# As ELF64 and with a high virtual address, as the real one is.
sed -e 's/\. = ALIGN(0x1000);/. = 0xffffffff80102000;/' \
	-e 's/\.data : {/.data : AT(0x102000) {/' "$here/hyp.ld" >hyp64.ld
gcc -m64 -DOFFSET=0xffffffff80000000 -c "$here/hyp.S" -o hyp64.o &&
	ld -m elf_x86_64 -z max-page-size=4096 --no-warn-rwx-segments -T hyp64.ld hyp64.o \
		-o hyp64.elf || exit 1
expect 0 '' "$tool" build -q -I hyp64.elf -D KERNEL=guest32 -o good64.elf good.dts
expect 0 '' readelf -hlW good64.elf
shows 'ELF32'
shows '0x00102000 0x00102000'

# ---- disks ----------------------------------------------------------------

{ head -c 600 /dev/zero; printf 'RVLNDISK\0\0\0\0\0\0\0\0'; head -c 920 /dev/zero; } >loader.bin
expect 0 'image at sector 3, ' "$tool" disk -l loader.bin -o disk.img good.elf
tests=$((tests + 1))
size=$(stat -c %s disk.img)
sectors=$((($(stat -c %s good.elf) + 511) / 512))
[ $((size % 516096)) -eq 0 ] || fail 'the disk is not whole cylinders'
[ "$(od -An -tu4 -j 608 -N 8 disk.img | tr -s ' ')" = " 3 $sectors" ] || fail 'the loader is not filled in'
tail -c +1537 disk.img | cmp -s -n "$(stat -c %s good.elf)" - good.elf || fail 'the image on the disk differs'
expect 0 '' "$tool" show disk.img
shows 'image at sector 3'
shows ' 1  app               no '
expect 2 'is a disk already' "$tool" disk -l loader.bin -o disk2.img disk.img
head -c 1000 loader.bin >short.bin
expect 2 'short.bin: is 1000 bytes long; expected whole sectors' \
	"$tool" disk -l short.bin -o disk2.img good.elf
head -c 512 /dev/zero >blank.bin
expect 2 'blank.bin: has no "RVLNDISK"' "$tool" disk -l blank.bin -o disk2.img good.elf
cat loader.bin loader.bin >double.bin
expect 2 'double.bin: has more than one "RVLNDISK"' "$tool" disk -l double.bin -o disk2.img good.elf
expect 2 'expected an image or a disk made by this tool' "$tool" disk -l loader.bin -o disk2.img guest32
expect 1 '' test -e disk2.img
# Images that have been cut off or spoilt on the way.
for cut in 100 4000 9000 12300 14000 20000; do
	head -c $cut good.elf >cut.elf
	expect 2 'cut.elf: ' "$tool" show cut.elf
done
head -c 5000 disk.img >cut.img
expect 2 'cut.img: neither an ELF file nor a disk' "$tool" show cut.img
cp good.elf spoilt.elf
printf '\002' | dd of=spoilt.elf bs=1 seek=$((0x3000 + 16)) conv=notrunc status=none
expect 2 'spoilt.elf: the pack is of another version than this hypervisor' "$tool" show spoilt.elf

# ---- does a boot loader put it all in place? -------------------------------

# loads NAME: QEMU starts it, and it finds its pack, all of it.
loads() {
	tests=$((tests + 1))
	said=$(timeout 60 qemu-system-x86_64 -machine accel=tcg -m 128 -display none -debugcon stdio \
		-device isa-debug-exit,iobase=0xf4 -kernel "$1" 2>&1)
	[ "$said" = pack ] || fail "QEMU and $1: \"$said\""
}

if command -v qemu-system-x86_64 >/dev/null; then
	loads good.elf
	loads good64.elf
	# Without the multiboot header QEMU goes by the PVH note.
	cp good.elf pvh.elf
	printf '\000' | dd of=pvh.elf bs=1 seek=4096 conv=notrunc status=none
	loads pvh.elf
else
	echo "note: no qemu-system-x86_64, so nothing has loaded the image"
fi

echo "image_test: $tests checks, $failed failed"
[ $failed -eq 0 ]
