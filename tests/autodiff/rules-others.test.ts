import { checkFamilies } from './families.ts';

checkFamilies('others');
