(func $copyRun (param $from i32) (param $to i32) (param $bytes i32)
  (block $tail
    (loop $lane
      (br_if $tail (i32.lt_u (local.get $bytes) (i32.const 16)))
      (v128.store (local.get $to) (v128.load (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $bytes (i32.sub (local.get $bytes) (i32.const 16)))
      (br $lane)))
  (block $done
    (loop $one
      (br_if $done (i32.eqz (local.get $bytes)))
      (f32.store (local.get $to) (f32.load (local.get $from)))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (local.set $bytes (i32.sub (local.get $bytes) (i32.const 4)))
      (br $one))))

(func $addRun (param $from i32) (param $to i32) (param $bytes i32)
  (block $tail
    (loop $lane
      (br_if $tail (i32.lt_u (local.get $bytes) (i32.const 16)))
      (v128.store (local.get $to) (f32x4.add (v128.load (local.get $to)) (v128.load (local.get $from))))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $bytes (i32.sub (local.get $bytes) (i32.const 16)))
      (br $lane)))
  (block $done
    (loop $one
      (br_if $done (i32.eqz (local.get $bytes)))
      (f32.store (local.get $to) (f32.add (f32.load (local.get $to)) (f32.load (local.get $from))))
      (local.set $from (i32.add (local.get $from) (i32.const 4)))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (local.set $bytes (i32.sub (local.get $bytes) (i32.const 4)))
      (br $one))))

(func $zeroRun (param $to i32) (param $bytes i32)
  (block $done
    (loop $one
      (br_if $done (i32.eqz (local.get $bytes)))
      (f32.store (local.get $to) (f32.const 0))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (local.set $bytes (i32.sub (local.get $bytes) (i32.const 4)))
      (br $one))))

;; one run of a window: from the picture into the window, or (`back`) added from the window to the picture
(func $run (param $back i32) (param $picture i32) (param $window i32) (param $bytes i32)
  (if (local.get $back)
    (then (call $addRun (local.get $window) (local.get $picture) (local.get $bytes)))
    (else (call $copyRun (local.get $picture) (local.get $window) (local.get $bytes)))))

;; windows `first` … `first + count − 1` of pictures [units, rows, columns, channels]; zeros beyond the edge
(func $windows
  (param $back i32) (param $first i32) (param $count i32) (param $rows i32) (param $columns i32) (param $channels i32)
  (param $high i32) (param $wide i32) (param $stride i32) (param $dilation i32) (param $top i32) (param $left i32)
  (param $outRows i32) (param $outColumns i32) (param $picture i32) (param $window i32)
  (local $x i32) (local $y i32) (local $unit i32) (local $r i32) (local $k i32) (local $row i32) (local $column i32)
  (local $start i32) (local $pixel i32) (local $whole i32)
  (local.set $pixel (i32.shl (local.get $channels) (i32.const 2)))
  (local.set $whole (i32.mul (local.get $pixel) (local.get $wide)))
  (local.set $x (i32.rem_u (local.get $first) (local.get $outColumns)))
  (local.set $y (i32.rem_u (i32.div_u (local.get $first) (local.get $outColumns)) (local.get $outRows)))
  (local.set $unit (i32.div_u (i32.div_u (local.get $first) (local.get $outColumns)) (local.get $outRows)))
  (loop $position
    (local.set $r (i32.const 0))
    (loop $down
      (local.set $row (i32.sub (i32.add (i32.mul (local.get $y) (local.get $stride)) (local.get $r)) (local.get $top)))
      (local.set $column (i32.sub (i32.mul (local.get $x) (local.get $stride)) (local.get $left)))
      ;; unsigned: what lies before the edge is larger than any size
      (if (i32.lt_u (local.get $row) (local.get $rows))
        (then
          (local.set $start (i32.add (local.get $picture) (i32.mul (local.get $pixel) (i32.mul (local.get $columns)
            (i32.add (i32.mul (local.get $unit) (local.get $rows)) (local.get $row))))))
          (if (i32.and
                (i32.and (i32.eq (local.get $dilation) (i32.const 1)) (i32.ge_s (local.get $column) (i32.const 0)))
                (i32.le_s (i32.add (local.get $column) (local.get $wide)) (local.get $columns)))
            (then
              (call $run (local.get $back)
                (i32.add (local.get $start) (i32.mul (local.get $column) (local.get $pixel)))
                (local.get $window) (local.get $whole))
              (local.set $window (i32.add (local.get $window) (local.get $whole))))
            (else
              (local.set $k (i32.const 0))
              (loop $tap
                (if (i32.lt_u (local.get $column) (local.get $columns))
                  (then (call $run (local.get $back)
                    (i32.add (local.get $start) (i32.mul (local.get $column) (local.get $pixel)))
                    (local.get $window) (local.get $pixel)))
                  (else (if (i32.eqz (local.get $back))
                    (then (call $zeroRun (local.get $window) (local.get $pixel))))))
                (local.set $window (i32.add (local.get $window) (local.get $pixel)))
                (local.set $column (i32.add (local.get $column) (local.get $dilation)))
                (br_if $tap (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $wide)))))))
        (else
          (if (i32.eqz (local.get $back)) (then (call $zeroRun (local.get $window) (local.get $whole))))
          (local.set $window (i32.add (local.get $window) (local.get $whole)))))
      (br_if $down (i32.lt_u (local.tee $r (i32.add (local.get $r) (i32.const 1))) (local.get $high))))
    (local.set $x (i32.add (local.get $x) (i32.const 1)))
    (if (i32.eq (local.get $x) (local.get $outColumns))
      (then
        (local.set $x (i32.const 0))
        (local.set $y (i32.add (local.get $y) (i32.const 1)))
        (if (i32.eq (local.get $y) (local.get $outRows))
          (then
            (local.set $y (i32.const 0))
            (local.set $unit (i32.add (local.get $unit) (i32.const 1)))))))
    (br_if $position (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

;; a row for each window, the values under the kernel
(func (export "unfold")
  (param $first i32) (param $count i32) (param $rows i32) (param $columns i32) (param $channels i32)
  (param $high i32) (param $wide i32) (param $stride i32) (param $dilation i32) (param $top i32) (param $left i32)
  (param $outRows i32) (param $outColumns i32) (param $picture i32) (param $window i32)
  (call $windows (i32.const 0) (local.get $first) (local.get $count) (local.get $rows) (local.get $columns)
    (local.get $channels) (local.get $high) (local.get $wide) (local.get $stride) (local.get $dilation)
    (local.get $top) (local.get $left) (local.get $outRows) (local.get $outColumns) (local.get $picture)
    (local.get $window)))

;; every row of windows added back to where it was read
(func (export "fold")
  (param $first i32) (param $count i32) (param $rows i32) (param $columns i32) (param $channels i32)
  (param $high i32) (param $wide i32) (param $stride i32) (param $dilation i32) (param $top i32) (param $left i32)
  (param $outRows i32) (param $outColumns i32) (param $picture i32) (param $window i32)
  (call $windows (i32.const 1) (local.get $first) (local.get $count) (local.get $rows) (local.get $columns)
    (local.get $channels) (local.get $high) (local.get $wide) (local.get $stride) (local.get $dilation)
    (local.get $top) (local.get $left) (local.get $outRows) (local.get $outColumns) (local.get $picture)
    (local.get $window)))
