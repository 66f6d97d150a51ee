;; c (+)= a·b in float32, any strides: blocks of a and b are packed so that the inner loop reads them in order.
;; Tiles of 4 × 8 in registers; blocks of 64 rows, 512 columns, 256 places of the inner sum. Strides are in bytes.

;; Four lanes side by side: `to` gets, for each of `count` places `along` apart, the numbers of four lanes `lane` apart;
;; places are `step` apart in `to`. Lanes from `valid` on are zeros.
(func $pack4
  (param $from i32) (param $lane i32) (param $along i32) (param $count i32) (param $valid i32)
  (param $to i32) (param $step i32)
  (local $at i32)
  (local $a v128) (local $b v128) (local $c v128) (local $d v128)
  (local $ab v128) (local $cd v128)
  (if (i32.and (i32.eq (local.get $valid) (i32.const 4)) (i32.eq (local.get $lane) (i32.const 4)))
    (then
      (block $done
        (loop $next
          (br_if $done (i32.eqz (local.get $count)))
          (v128.store (local.get $to) (v128.load (local.get $from)))
          (local.set $from (i32.add (local.get $from) (local.get $along)))
          (local.set $to (i32.add (local.get $to) (local.get $step)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $next)))
      (return)))
  (if (i32.and (i32.eq (local.get $valid) (i32.const 4)) (i32.eq (local.get $along) (i32.const 4)))
    (then
      ;; squares of 4 × 4, transposed
      (block $done
        (loop $next
          (br_if $done (i32.lt_u (local.get $count) (i32.const 4)))
          (local.set $at (local.get $from))
          (local.set $a (v128.load (local.get $at)))
          (local.set $at (i32.add (local.get $at) (local.get $lane)))
          (local.set $b (v128.load (local.get $at)))
          (local.set $at (i32.add (local.get $at) (local.get $lane)))
          (local.set $c (v128.load (local.get $at)))
          (local.set $d (v128.load (i32.add (local.get $at) (local.get $lane))))
          (local.set $ab (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b)))
          (local.set $cd (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d)))
          (v128.store (local.get $to)
            (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
          (local.set $to (i32.add (local.get $to) (local.get $step)))
          (v128.store (local.get $to)
            (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
          (local.set $to (i32.add (local.get $to) (local.get $step)))
          (local.set $ab (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $a) (local.get $b)))
          (local.set $cd (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $c) (local.get $d)))
          (v128.store (local.get $to)
            (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd)))
          (local.set $to (i32.add (local.get $to) (local.get $step)))
          (v128.store (local.get $to)
            (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $ab) (local.get $cd)))
          (local.set $to (i32.add (local.get $to) (local.get $step)))
          (local.set $from (i32.add (local.get $from) (i32.const 16)))
          (local.set $count (i32.sub (local.get $count) (i32.const 4)))
          (br $next)))))
  ;; what is left, number by number
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (v128.store (local.get $to) (v128.const f32x4 0 0 0 0))
      (local.set $at (i32.const 0))
      (block $full
        (loop $number
          (br_if $full (i32.ge_u (local.get $at) (local.get $valid)))
          (f32.store (i32.add (local.get $to) (i32.shl (local.get $at) (i32.const 2)))
            (f32.load (i32.add (local.get $from) (i32.mul (local.get $at) (local.get $lane)))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $number)))
      (local.set $from (i32.add (local.get $from) (local.get $along)))
      (local.set $to (i32.add (local.get $to) (local.get $step)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next))))

;; One tile: 4 packed rows times 8 packed columns; rows of c are `row` apart.
(func $tile (param $k i32) (param $a i32) (param $b i32) (param $c i32) (param $row i32) (param $add i32)
  (local $l v128) (local $r v128) (local $x v128)
  (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
  (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
  (local $c1 i32) (local $c2 i32) (local $c3 i32)
  (local.set $c1 (i32.add (local.get $c) (local.get $row)))
  (local.set $c2 (i32.add (local.get $c1) (local.get $row)))
  (local.set $c3 (i32.add (local.get $c2) (local.get $row)))
  (if (local.get $add)
    (then
      (local.set $c00 (v128.load (local.get $c)))
      (local.set $c01 (v128.load offset=16 (local.get $c)))
      (local.set $c10 (v128.load (local.get $c1)))
      (local.set $c11 (v128.load offset=16 (local.get $c1)))
      (local.set $c20 (v128.load (local.get $c2)))
      (local.set $c21 (v128.load offset=16 (local.get $c2)))
      (local.set $c30 (v128.load (local.get $c3)))
      (local.set $c31 (v128.load offset=16 (local.get $c3)))))
  (loop $next
    (local.set $l (v128.load (local.get $b)))
    (local.set $r (v128.load offset=16 (local.get $b)))
    (local.set $x (v128.load32_splat (local.get $a)))
    (local.set $c00 (f32x4.add (local.get $c00) (f32x4.mul (local.get $x) (local.get $l))))
    (local.set $c01 (f32x4.add (local.get $c01) (f32x4.mul (local.get $x) (local.get $r))))
    (local.set $x (v128.load32_splat offset=4 (local.get $a)))
    (local.set $c10 (f32x4.add (local.get $c10) (f32x4.mul (local.get $x) (local.get $l))))
    (local.set $c11 (f32x4.add (local.get $c11) (f32x4.mul (local.get $x) (local.get $r))))
    (local.set $x (v128.load32_splat offset=8 (local.get $a)))
    (local.set $c20 (f32x4.add (local.get $c20) (f32x4.mul (local.get $x) (local.get $l))))
    (local.set $c21 (f32x4.add (local.get $c21) (f32x4.mul (local.get $x) (local.get $r))))
    (local.set $x (v128.load32_splat offset=12 (local.get $a)))
    (local.set $c30 (f32x4.add (local.get $c30) (f32x4.mul (local.get $x) (local.get $l))))
    (local.set $c31 (f32x4.add (local.get $c31) (f32x4.mul (local.get $x) (local.get $r))))
    (local.set $a (i32.add (local.get $a) (i32.const 16)))
    (local.set $b (i32.add (local.get $b) (i32.const 32)))
    (br_if $next (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
  (v128.store (local.get $c) (local.get $c00))
  (v128.store offset=16 (local.get $c) (local.get $c01))
  (v128.store (local.get $c1) (local.get $c10))
  (v128.store offset=16 (local.get $c1) (local.get $c11))
  (v128.store (local.get $c2) (local.get $c20))
  (v128.store offset=16 (local.get $c2) (local.get $c21))
  (v128.store (local.get $c3) (local.get $c30))
  (v128.store offset=16 (local.get $c3) (local.get $c31)))

;; A tile at the edge, `rows` × `columns`, by way of a whole one in `spare`.
(func $edge
  (param $k i32) (param $a i32) (param $b i32) (param $c i32) (param $row i32) (param $add i32)
  (param $rows i32) (param $columns i32) (param $spare i32)
  (local $j i32) (local $at i32) (local $value f32)
  (call $tile (local.get $k) (local.get $a) (local.get $b) (local.get $spare) (i32.const 32) (i32.const 0))
  (loop $line
    (local.set $j (i32.const 0))
    (loop $number
      (local.set $at (i32.add (local.get $c) (i32.shl (local.get $j) (i32.const 2))))
      (local.set $value (f32.load (i32.add (local.get $spare) (i32.shl (local.get $j) (i32.const 2)))))
      (if (local.get $add)
        (then (local.set $value (f32.add (local.get $value) (f32.load (local.get $at))))))
      (f32.store (local.get $at) (local.get $value))
      (local.set $j (i32.add (local.get $j) (i32.const 1)))
      (br_if $number (i32.lt_u (local.get $j) (local.get $columns))))
    (local.set $c (i32.add (local.get $c) (local.get $row)))
    (local.set $spare (i32.add (local.get $spare) (i32.const 32)))
    (br_if $line (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

(func $least (param $a i32) (param $b i32) (result i32)
  (select (local.get $a) (local.get $b) (i32.lt_u (local.get $a) (local.get $b))))

;; The first `rows` (at most 64) of a packed block of a times a packed block of b of `columns` columns.
(func $block
  (param $rows i32) (param $columns i32) (param $k i32) (param $a i32) (param $b i32)
  (param $c i32) (param $row i32) (param $add i32) (param $spare i32)
  (local $i i32) (local $j i32) (local $pa i32) (local $pb i32) (local $pc i32)
  (local.set $pb (local.get $b))
  (loop $across
    (local.set $i (i32.const 0))
    (local.set $pa (local.get $a))
    (local.set $pc (i32.add (local.get $c) (i32.shl (local.get $j) (i32.const 2))))
    (loop $down
      (if (i32.and
            (i32.le_u (i32.add (local.get $i) (i32.const 4)) (local.get $rows))
            (i32.le_u (i32.add (local.get $j) (i32.const 8)) (local.get $columns)))
        (then (call $tile (local.get $k) (local.get $pa) (local.get $pb) (local.get $pc) (local.get $row) (local.get $add)))
        (else (call $edge (local.get $k) (local.get $pa) (local.get $pb) (local.get $pc) (local.get $row) (local.get $add)
          (call $least (i32.const 4) (i32.sub (local.get $rows) (local.get $i)))
          (call $least (i32.const 8) (i32.sub (local.get $columns) (local.get $j)))
          (local.get $spare))))
      (local.set $pa (i32.add (local.get $pa) (i32.shl (local.get $k) (i32.const 4))))
      (local.set $pc (i32.add (local.get $pc) (i32.shl (local.get $row) (i32.const 2))))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (br_if $down (i32.lt_u (local.get $i) (local.get $rows))))
    (local.set $pb (i32.add (local.get $pb) (i32.shl (local.get $k) (i32.const 5))))
    (local.set $j (i32.add (local.get $j) (i32.const 8)))
    (br_if $across (i32.lt_u (local.get $j) (local.get $columns)))))

;; a: m rows `ai` apart, places of the sum `ak` apart; b: n columns `bj` apart, places `bk` apart; rows of c `row` apart.
;; `work`: 65,536 bytes for a, 524,288 for b, 128 for an edge. m, n, k above 0.
(func (export "multiply")
  (param $m i32) (param $n i32) (param $k i32)
  (param $a i32) (param $ai i32) (param $ak i32)
  (param $b i32) (param $bj i32) (param $bk i32)
  (param $c i32) (param $row i32) (param $add i32) (param $work i32)
  (local $p i32) (local $kc i32) (local $j i32) (local $nc i32) (local $i i32) (local $mc i32)
  (local $at i32) (local $from i32) (local $to i32) (local $left i32) (local $wide i32)
  (local.set $wide (i32.add (local.get $work) (i32.const 65536)))
  (loop $inner
    (local.set $kc (call $least (i32.const 256) (i32.sub (local.get $k) (local.get $p))))
    (local.set $j (i32.const 0))
    (loop $columns
      (local.set $nc (call $least (i32.const 512) (i32.sub (local.get $n) (local.get $j))))
      (local.set $at (i32.const 0))
      (local.set $to (local.get $wide))
      (loop $panel
        (local.set $from (i32.add (local.get $b) (i32.add
          (i32.mul (local.get $p) (local.get $bk))
          (i32.mul (i32.add (local.get $j) (local.get $at)) (local.get $bj)))))
        (local.set $left (i32.sub (local.get $nc) (local.get $at)))
        (call $pack4 (local.get $from) (local.get $bj) (local.get $bk) (local.get $kc)
          (call $least (i32.const 4) (local.get $left)) (local.get $to) (i32.const 32))
        (call $pack4 (i32.add (local.get $from) (i32.shl (local.get $bj) (i32.const 2)))
          (local.get $bj) (local.get $bk) (local.get $kc)
          (select (call $least (i32.const 4) (i32.sub (local.get $left) (i32.const 4))) (i32.const 0)
            (i32.gt_u (local.get $left) (i32.const 4)))
          (i32.add (local.get $to) (i32.const 16)) (i32.const 32))
        (local.set $to (i32.add (local.get $to) (i32.shl (local.get $kc) (i32.const 5))))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $panel (i32.lt_u (local.get $at) (local.get $nc))))
      (local.set $i (i32.const 0))
      (loop $rows
        (local.set $mc (call $least (i32.const 64) (i32.sub (local.get $m) (local.get $i))))
        (local.set $at (i32.const 0))
        (local.set $to (local.get $work))
        (loop $panel
          (call $pack4
            (i32.add (local.get $a) (i32.add
              (i32.mul (i32.add (local.get $i) (local.get $at)) (local.get $ai))
              (i32.mul (local.get $p) (local.get $ak))))
            (local.get $ai) (local.get $ak) (local.get $kc)
            (call $least (i32.const 4) (i32.sub (local.get $mc) (local.get $at)))
            (local.get $to) (i32.const 16))
          (local.set $to (i32.add (local.get $to) (i32.shl (local.get $kc) (i32.const 4))))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (br_if $panel (i32.lt_u (local.get $at) (local.get $mc))))
        (call $block (local.get $mc) (local.get $nc) (local.get $kc) (local.get $work) (local.get $wide)
          (i32.add (local.get $c) (i32.add
            (i32.mul (local.get $i) (local.get $row)) (i32.shl (local.get $j) (i32.const 2))))
          (local.get $row)
          (i32.or (local.get $add) (i32.ne (local.get $p) (i32.const 0)))
          (i32.add (local.get $work) (i32.const 589824)))
        (local.set $i (i32.add (local.get $i) (i32.const 64)))
        (br_if $rows (i32.lt_u (local.get $i) (local.get $m))))
      (local.set $j (i32.add (local.get $j) (i32.const 512)))
      (br_if $columns (i32.lt_u (local.get $j) (local.get $n))))
    (local.set $p (i32.add (local.get $p) (i32.const 256)))
    (br_if $inner (i32.lt_u (local.get $p) (local.get $k)))))
