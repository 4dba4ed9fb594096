import { checkFamilies } from './families.ts';

checkFamilies(2);
