;; column sums in float64, rounded once, four columns at a time
(func (export "column_sums") (param $rows i32) (param $columns i32) (param $matrix i32) (param $out i32)
  (local $w i32) (local $j i32) (local $at i32) (local $left i32) (local $v v128) (local $low v128) (local $high v128)
  (local.set $w (i32.shl (local.get $columns) (i32.const 2)))
  (loop $lane
    (local.set $low (v128.const f64x2 0 0))
    (local.set $high (v128.const f64x2 0 0))
    (local.set $at (i32.add (local.get $matrix) (local.get $j)))
    (local.set $left (local.get $rows))
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $left)))
        (local.set $v (v128.load (local.get $at)))
        (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $v))))
        (local.set $high (f64x2.add (local.get $high) (f64x2.promote_low_f32x4
          (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v)))))
        (local.set $at (i32.add (local.get $at) (local.get $w)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $row)))
    (v128.store (i32.add (local.get $out) (local.get $j))
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
        (f32x4.demote_f64x2_zero (local.get $low)) (f32x4.demote_f64x2_zero (local.get $high))))
    (local.set $j (i32.add (local.get $j) (i32.const 16)))
    (br_if $lane (i32.lt_u (local.get $j) (local.get $w)))))
