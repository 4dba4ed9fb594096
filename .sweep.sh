for i in 1 2; do
for le in 9 13 17 25; do echo le $le; CA=1 LE=$le node --import tsx .loop.ts resnet8_cifar10 16 ; CA=1 LE=$le node --import tsx .loop.ts squeezenet1_1 8; done; done
