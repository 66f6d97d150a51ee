;; out = scale * x where the random word is at least `threshold`, else 0; `bytes` is a multiple of 16
(func (export "drop") (param $bytes i32) (param $threshold i32) (param $words i32) (param $x i32) (param $out i32)
  (param $scale f32)
  (local $j i32)
  (loop $lane
    (v128.store (i32.add (local.get $out) (local.get $j)) (v128.and
      (i32x4.ge_u (v128.load (i32.add (local.get $words) (local.get $j))) (i32x4.splat (local.get $threshold)))
      (f32x4.mul (v128.load (i32.add (local.get $x) (local.get $j))) (f32x4.splat (local.get $scale)))))
    (br_if $lane (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 16))) (local.get $bytes)))))
