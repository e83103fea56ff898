// Behavioural model of the DesignWare arithmetic saturation and rounding cell DW01_satrnd.
//
// The output is din[msb_out:lsb_out], rounded when rnd = 1 and saturated when sat = 1.
//   tc  : din is unsigned (0) or two's complement (1)
//   rnd : add half of the output's unit, that is din[lsb_out-1], to the result (1) or truncate (0)
//   sat : when the result does not fit the output, replace it by the nearest value that does (1) or wrap (0)
//   ov  : the result, rounded if asked for, does not fit the output
module DW01_satrnd (din, tc, sat, rnd, ov, dout);
    parameter width = 16;
    parameter msb_out = 15;
    parameter lsb_out = 0;

    input  [width-1:0] din;
    input  tc;
    input  sat;
    input  rnd;
    output ov;
    output [msb_out-lsb_out:0] dout;

    localparam out_width = msb_out - lsb_out + 1;
    // One bit beyond din keeps an unsigned value positive and the carry of the rounding.
    localparam full_width = width + 2;

    wire signed [full_width-1:0] extended = {{2{tc & din[width-1]}}, din};
    wire half;
    generate
        if (lsb_out == 0) begin : whole
            assign half = 1'b0;
        end else begin : fraction
            assign half = rnd & din[lsb_out-1];
        end
    endgenerate
    wire signed [full_width-1:0] shifted = extended >>> lsb_out;
    wire signed [full_width-1:0] rounded = shifted + $signed({{(full_width-1){1'b0}}, half});

    // It fits when every bit above the output equals the sign (two's complement) or zero (unsigned).
    wire negative = rounded[full_width-1];
    wire [full_width-1:0] above_unsigned = rounded >>> out_width;
    wire [full_width-1:0] above_signed = rounded >>> (out_width - 1);
    assign ov = tc ? (above_signed != {full_width{negative}}) : (above_unsigned != {full_width{1'b0}});

    wire [out_width-1:0] largest = tc ? {1'b0, {(out_width-1){1'b1}}} : {out_width{1'b1}};
    wire [out_width-1:0] smallest = ~largest;
    assign dout = (sat & ov) ? ((tc & negative) ? smallest : largest) : rounded[out_width-1:0];
endmodule
