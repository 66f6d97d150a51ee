;; one step of Adam or AdamW; `bytes` is a multiple of 16; gradient = scale * g + decay * w; w = shrink * w - …
(func (export "adam")
  (param $bytes i32) (param $w i32) (param $m i32) (param $v i32) (param $g i32)
  (param $scale f32) (param $decay f32) (param $rate f32) (param $beta1 f32) (param $beta2 f32)
  (param $correction f32) (param $epsilon f32) (param $shrink f32)
  (local $j i32) (local $weight v128) (local $gradient v128) (local $first v128) (local $second v128)
  (block $done
    (loop $lane
      (br_if $done (i32.ge_u (local.get $j) (local.get $bytes)))
      (local.set $weight (v128.load (i32.add (local.get $w) (local.get $j))))
      (local.set $gradient (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $scale)) (v128.load (i32.add (local.get $g) (local.get $j))))
        (f32x4.mul (f32x4.splat (local.get $decay)) (local.get $weight))))
      (local.set $first (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $beta1)) (v128.load (i32.add (local.get $m) (local.get $j))))
        (f32x4.mul (f32x4.splat (f32.sub (f32.const 1) (local.get $beta1))) (local.get $gradient))))
      (local.set $second (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $beta2)) (v128.load (i32.add (local.get $v) (local.get $j))))
        (f32x4.mul (f32x4.splat (f32.sub (f32.const 1) (local.get $beta2)))
          (f32x4.mul (local.get $gradient) (local.get $gradient)))))
      (v128.store (i32.add (local.get $m) (local.get $j)) (local.get $first))
      (v128.store (i32.add (local.get $v) (local.get $j)) (local.get $second))
      (v128.store (i32.add (local.get $w) (local.get $j)) (f32x4.sub (f32x4.mul (f32x4.splat (local.get $shrink)) (local.get $weight))
        (f32x4.div (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $first))
          (f32x4.add (f32x4.mul (f32x4.sqrt (local.get $second)) (f32x4.splat (local.get $correction)))
            (f32x4.splat (local.get $epsilon))))))
      (local.set $j (i32.add (local.get $j) (i32.const 16)))
      (br $lane))))
