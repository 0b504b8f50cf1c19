//! What layers, losses and files of weights must do: one program, as each is linked with all the crates below.

mod activation_limits;
mod attention;
mod bert;
mod buffers;
mod checkpoints;
mod containers;
mod far_numbers;
mod files;
mod frozen;
mod inference;
mod init;
mod inputs;
mod kinks;
mod layers;
mod loading;
mod masks;
mod norms;
mod observers;
mod parametrize;
mod recurrent;
mod replay;
mod sampling;
mod selection;
mod training;
mod windows;
