;; rational approximation of tanh, as in ops/activation.ts
(func $tanh (param $x v128) (result v128)
  (local $s v128)
  (local.set $x (f32x4.max (f32x4.min (local.get $x) (v128.const f32x4 7.90531110763549805 7.90531110763549805 7.90531110763549805 7.90531110763549805)) (v128.const f32x4 -7.90531110763549805 -7.90531110763549805 -7.90531110763549805 -7.90531110763549805)))
  (local.set $s (f32x4.mul (local.get $x) (local.get $x)))
  (f32x4.div
    (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (v128.const f32x4 -2.76076847742355e-16 -2.76076847742355e-16 -2.76076847742355e-16 -2.76076847742355e-16) (local.get $s)) (v128.const f32x4 2.00018790482477e-13 2.00018790482477e-13 2.00018790482477e-13 2.00018790482477e-13)) (local.get $s)) (v128.const f32x4 -8.60467152213735e-11 -8.60467152213735e-11 -8.60467152213735e-11 -8.60467152213735e-11)) (local.get $s)) (v128.const f32x4 5.12229709037114e-8 5.12229709037114e-8 5.12229709037114e-8 5.12229709037114e-8)) (local.get $s)) (v128.const f32x4 1.48572235717979e-5 1.48572235717979e-5 1.48572235717979e-5 1.48572235717979e-5)) (local.get $s)) (v128.const f32x4 6.37261928875436e-4 6.37261928875436e-4 6.37261928875436e-4 6.37261928875436e-4)) (local.get $s)) (v128.const f32x4 4.89352455891786e-3 4.89352455891786e-3 4.89352455891786e-3 4.89352455891786e-3)) (local.get $x))
    (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (f32x4.add (f32x4.mul (v128.const f32x4 1.19825839466702e-6 1.19825839466702e-6 1.19825839466702e-6 1.19825839466702e-6) (local.get $s)) (v128.const f32x4 1.18534705686654e-4 1.18534705686654e-4 1.18534705686654e-4 1.18534705686654e-4)) (local.get $s)) (v128.const f32x4 2.268434632439e-3 2.268434632439e-3 2.268434632439e-3 2.268434632439e-3)) (local.get $s)) (v128.const f32x4 4.89352518554385e-3 4.89352518554385e-3 4.89352518554385e-3 4.89352518554385e-3))))

(func $sigmoid (param $x v128) (result v128)
  (f32x4.add (v128.const f32x4 0.5 0.5 0.5 0.5) (f32x4.mul (v128.const f32x4 0.5 0.5 0.5 0.5) (call $tanh (f32x4.mul (v128.const f32x4 0.5 0.5 0.5 0.5) (local.get $x))))))

;; z = max(z + bias, 0), row by row; NaN stays NaN
(func (export "bias_relu") (param $batch i32) (param $units i32) (param $z i32) (param $bias i32)
  (local $w i32) (local $j i32)
  (local.set $w (i32.shl (local.get $units) (i32.const 2)))
  (block $done
    (loop $row
      (br_if $done (i32.eqz (local.get $batch)))
      (local.set $j (i32.const 0))
      (loop $lane
        (v128.store (i32.add (local.get $z) (local.get $j)) (f32x4.max (f32x4.add (v128.load (i32.add (local.get $z) (local.get $j))) (v128.load (i32.add (local.get $bias) (local.get $j)))) (v128.const f32x4 0 0 0 0)))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br_if $lane (i32.lt_u (local.get $j) (local.get $w))))
      (local.set $z (i32.add (local.get $z) (local.get $w)))
      (local.set $batch (i32.sub (local.get $batch) (i32.const 1)))
      (br $row))))

;; z = tanh(z + bias), row by row
(func (export "bias_tanh") (param $batch i32) (param $units i32) (param $z i32) (param $bias i32)
  (local $w i32) (local $j i32)
  (local.set $w (i32.shl (local.get $units) (i32.const 2)))
  (block $done
    (loop $row
      (br_if $done (i32.eqz (local.get $batch)))
      (local.set $j (i32.const 0))
      (loop $lane
        (v128.store (i32.add (local.get $z) (local.get $j)) (call $tanh (f32x4.add (v128.load (i32.add (local.get $z) (local.get $j))) (v128.load (i32.add (local.get $bias) (local.get $j))))))
        (local.set $j (i32.add (local.get $j) (i32.const 16)))
        (br_if $lane (i32.lt_u (local.get $j) (local.get $w))))
      (local.set $z (i32.add (local.get $z) (local.get $w)))
      (local.set $batch (i32.sub (local.get $batch) (i32.const 1)))
      (br $row))))

;; out = gradient where y > 0, else 0; `bytes` is a multiple of 16
(func (export "relu_backward") (param $bytes i32) (param $y i32) (param $gradient i32) (param $out i32)
  (local $j i32)
  (block $done
    (loop $lane
      (br_if $done (i32.ge_u (local.get $j) (local.get $bytes)))
      (v128.store (i32.add (local.get $out) (local.get $j)) (v128.and (v128.load (i32.add (local.get $gradient) (local.get $j))) (f32x4.gt (v128.load (i32.add (local.get $y) (local.get $j))) (v128.const f32x4 0 0 0 0))))
      (local.set $j (i32.add (local.get $j) (i32.const 16)))
      (br $lane))))

;; out = gradient * (1 - y * y); `bytes` is a multiple of 16
(func (export "tanh_backward") (param $bytes i32) (param $y i32) (param $gradient i32) (param $out i32)
  (local $j i32) (local $v v128)
  (block $done
    (loop $lane
      (br_if $done (i32.ge_u (local.get $j) (local.get $bytes)))
      (local.set $v (v128.load (i32.add (local.get $y) (local.get $j))))
      (v128.store (i32.add (local.get $out) (local.get $j))
        (f32x4.mul (v128.load (i32.add (local.get $gradient) (local.get $j)))
          (f32x4.sub (v128.const f32x4 1 1 1 1) (f32x4.mul (local.get $v) (local.get $v)))))
      (local.set $j (i32.add (local.get $j) (i32.const 16)))
      (br $lane))))
